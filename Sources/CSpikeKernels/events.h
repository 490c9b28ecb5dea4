// What the event-driven convolutions share.
#pragma once

#include "spike_kernels.h"
#include "variants.h"

enum {
  TAPS = 9,
  BLOCK = 64,                    // input channels of a word
  ROWS = TAPS * BLOCK + 1,       // of packed weights, the last one 0
  ROW_BYTES = LANES * sizeof(float),
};

INLINE size_t input_blocks(const sltt_event_shape *s) { return (s->inputs + BLOCK - 1) / BLOCK; }
// Output channels of a row of packed weights: each lane has one, or two in bfloat16.
INLINE size_t row_outputs(const sltt_event_shape *s) {
  return s->rounds_weights ? 2 * LANES : LANES;
}

INLINE size_t row_blocks(const sltt_event_shape *s) {
  return (s->outputs + row_outputs(s) - 1) / row_outputs(s);
}

INLINE size_t output_blocks(const sltt_event_shape *s) { return (s->outputs + LANES - 1) / LANES; }

// Lists are of offsets in bytes of rows of 16 floats. These macros list base + 64 i at `next` for each
// bit i of `word`, and move `next` behind them; they may write up to LIST_EXCESS bytes more.
enum { LIST_EXCESS = 64 };

#define LIST_BITS(word, base, next)                                              \
  for (uint64_t bits_ = (word); bits_; bits_ &= bits_ - 1)                       \
    *next++ = (uint16_t)((base) + (uint16_t)__builtin_ctzll(bits_) * ROW_BYTES);

#if defined(__x86_64__)
#include <immintrin.h>

#define WITH_COMPRESS WITH_AVX512(",avx512vbmi2")

static const uint16_t bit_offsets[BLOCK] = {
    0,    64,   128,  192,  256,  320,  384,  448,  512,  576,  640,  704,  768,
    832,  896,  960,  1024, 1088, 1152, 1216, 1280, 1344, 1408, 1472, 1536, 1600,
    1664, 1728, 1792, 1856, 1920, 1984, 2048, 2112, 2176, 2240, 2304, 2368, 2432,
    2496, 2560, 2624, 2688, 2752, 2816, 2880, 2944, 3008, 3072, 3136, 3200, 3264,
    3328, 3392, 3456, 3520, 3584, 3648, 3712, 3776, 3840, 3904, 3968, 4032,
};

// 64 candidates, of which those of the bits move together: no branch depends on the bits.
#define COMPRESS_BITS(word, base, next)                                                    \
  {                                                                                        \
    uint64_t bits_ = (word);                                                               \
    __m512i base_ = _mm512_set1_epi16((short)(base));                                      \
    __m512i low_ = _mm512_add_epi16(base_, _mm512_loadu_si512(bit_offsets));               \
    __m512i high_ = _mm512_add_epi16(base_, _mm512_loadu_si512(bit_offsets + 32));         \
    _mm512_storeu_si512(next, _mm512_maskz_compress_epi16((__mmask32)bits_, low_));        \
    next += __builtin_popcountll(bits_ & 0xffffffff);                                      \
    _mm512_storeu_si512(next, _mm512_maskz_compress_epi16(bits_ >> 32, high_));            \
    next += __builtin_popcountll(bits_ >> 32);                                             \
  }

#define CHOOSE_LISTING(name, ...) \
  (sltt_has_compress ? name##_compressed(__VA_ARGS__) : name##_portably(__VA_ARGS__))
#else
#define CHOOSE_LISTING(name, ...) name##_portably(__VA_ARGS__)
#endif
