#include "variants.h"

#include <stdlib.h>

#include "spike_kernels.h"

vector_level sltt_vector_level = VECTORS_ANY;
_Bool sltt_has_compress = 0;

static const char *const names[] = {"any", "avx2", "avx512"};

const char *sltt_vectors(void) { return names[sltt_vector_level]; }

__attribute__((constructor)) static void choose_variants(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  vector_level level = __builtin_cpu_supports("x86-64-v4")   ? VECTORS_AVX512
                       : __builtin_cpu_supports("x86-64-v3") ? VECTORS_AVX2
                                                             : VECTORS_ANY;
  const char *wanted = getenv("SLTT_VECTORS");
  while (wanted && level > VECTORS_ANY && strcmp(wanted, names[level])) level--;
  sltt_vector_level = level;
  sltt_has_compress = level == VECTORS_AVX512 && __builtin_cpu_supports("avx512vbmi2");
#endif
}
