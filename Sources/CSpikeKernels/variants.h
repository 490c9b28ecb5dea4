// Kernels are compiled for AVX-512, for AVX2 and for any processor; which of them runs is decided when
// the program loads. SLTT_VECTORS=amx|avx512|avx2|any in the environment asks for less than the
// processor has, so that tests can run what it would not choose by itself.
#pragma once

#include "vectors.h"

typedef enum { VECTORS_ANY, VECTORS_AVX2, VECTORS_AVX512, VECTORS_AMX } vector_level;

extern vector_level sltt_vector_level;

// Whether the spikes of a word can be listed by AVX-512's compress instruction (VBMI2).
extern _Bool sltt_has_compress;

// For functions with AVX-512 and perhaps further features. Left to itself, the compiler prefers vectors
// of half the width.
#define WITH_AVX512(features) \
  __attribute__((target("arch=x86-64-v4" features), min_vector_width(512)))

// Defines `result name parameters` as the inline function name_body for each of the levels.
#define VARIANTS(...) DEFINE_VARIANTS(, __VA_ARGS__)
#define STATIC_VARIANTS(...) DEFINE_VARIANTS(static, __VA_ARGS__)

#if defined(__x86_64__)
#define DEFINE_VARIANTS(linkage, result, name, parameters, arguments)                         \
  WITH_AVX512("") static result name##_avx512 parameters { return name##_body arguments; }    \
  __attribute__((target("arch=x86-64-v3"))) static result name##_avx2 parameters {            \
    return name##_body arguments;                                                             \
  }                                                                                           \
  static result name##_any parameters { return name##_body arguments; }                       \
  linkage result name parameters {                                                            \
    switch (sltt_vector_level) {                                                              \
      case VECTORS_AMX:                                                                       \
      case VECTORS_AVX512: return name##_avx512 arguments;                                    \
      case VECTORS_AVX2: return name##_avx2 arguments;                                        \
      default: return name##_any arguments;                                                   \
    }                                                                                         \
  }
#else
#define DEFINE_VARIANTS(linkage, result, name, parameters, arguments) \
  linkage result name parameters { return name##_body arguments; }
#endif
