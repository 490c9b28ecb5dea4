#include "spike_kernels.h"
#include "variants.h"

const char *sltt_instruction_set(void) {
  switch (sltt_vector_level) {
    case VECTORS_AMX:
    case VECTORS_AVX512: return sltt_has_compress ? "AVX-512 with VBMI2" : "AVX-512";
    case VECTORS_AVX2: return "AVX2";
    default: return "the baseline";
  }
}
