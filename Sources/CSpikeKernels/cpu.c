#include "spike_kernels.h"

const char *sltt_instruction_set(void) {
#if defined(__x86_64__) && defined(__linux__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4"))
    return __builtin_cpu_supports("avx512vbmi2") ? "AVX-512 with VBMI2" : "AVX-512";
  if (__builtin_cpu_supports("x86-64-v3")) return "AVX2";
#endif
  return "the baseline";
}
