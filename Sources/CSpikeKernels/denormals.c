#include <float.h>
#include <stdint.h>
#include <string.h>

#include "spike_kernels.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

// Runs when the program loads. A thread inherits this from the one that makes it (POSIX,
// pthread_create), so that all have it but those of libraries that were loaded before.
__attribute__((constructor)) static void flush_denormals(void) {
#if defined(__x86_64__)
  const unsigned flush_to_zero = 1 << 15, denormals_are_zero = 1 << 6;
  _mm_setcsr(_mm_getcsr() | flush_to_zero | denormals_are_zero);
#elif defined(__aarch64__)
  const uint64_t flush_to_zero = 1 << 24;
  uint64_t control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  __asm__ volatile("msr fpcr, %0" : : "r"(control | flush_to_zero));
#endif
}

int sltt_flushes_denormals(void) {
  volatile float least = FLT_MIN, half = 0.5f, denormal = FLT_TRUE_MIN, large = 0x1p100f;
  float result = least * half, product = denormal * large;
  // A comparison would take a denormal number for 0, too.
  uint32_t bits[2];
  memcpy(&bits[0], &result, sizeof result);
  memcpy(&bits[1], &product, sizeof product);
  return bits[0] == 0 && bits[1] == 0;
}
