#include "events.h"
#include "variants.h"

// Pixels whose lists are made before the weights are gone through, block by block.
enum { TILE = 256, LIST = ROWS + 7, VECTOR = 32 };

size_t sltt_event_packed_count(const sltt_event_shape *s) {
  return input_blocks(s) * output_blocks(s) * ROWS * LANES;
}

void sltt_event_pack(const sltt_event_shape *s, const float *weights, float *packed, size_t first,
                     size_t last) {
  size_t columns = output_blocks(s);
  for (size_t block = first; block < last; block++) {
    for (size_t column = 0; column < columns; column++) {
      float *to = packed + (block * columns + column) * ROWS * LANES;
      memset(to, 0, ROWS * ROW_BYTES);
      size_t outputs = s->outputs - column * LANES;
      for (size_t tap = 0; tap < TAPS; tap++) {
        for (size_t c = 0; c < BLOCK && block * BLOCK + c < s->inputs; c++) {
          const float *from =
              weights + (tap * s->inputs + block * BLOCK + c) * s->outputs + column * LANES;
          memcpy(to + (tap * BLOCK + c) * LANES, from,
                 (outputs < LANES ? outputs : LANES) * sizeof(float));
        }
      }
    }
  }
}

static size_t forward_scratch_bytes(void) {
  return TILE * (LIST * sizeof(uint16_t) + sizeof(uint32_t)) + VECTOR * sizeof(uint16_t);
}

size_t sltt_event_scratch_bytes(const sltt_event_shape *s) {
  (void)s;
  size_t a = forward_scratch_bytes(), b = sltt_event_gradient_scratch_bytes();
  return a > b ? a : b;
}

// Lists, for output pixels first ..< first + pixels, the rows of packed weights under the spikes of the
// pixel's window, as byte offsets, filled up to a multiple of 8 with the row of zeros. LIST_WORD adds
// the rows of one word of spikes.
#define DEFINE_LIST_ROWS(name, attributes, LIST_WORD)                                          \
  attributes static void name(const sltt_event_shape *s, const uint64_t *spikes, size_t first, \
                              size_t pixels, size_t block, uint32_t *counts, uint16_t *next) { \
    size_t words = words_of(s->inputs);                                                        \
    for (size_t p = 0; p < pixels; p++) {                                                      \
      size_t ox = (first + p) % s->output_width, rest = (first + p) / s->output_width;         \
      size_t oy = rest % s->output_height, sample = rest / s->output_height;                   \
      uint16_t *start = next;                                                                  \
      for (size_t ky = 0; ky < 3; ky++) {                                                      \
        size_t y = oy * s->stride + ky - 1; /* wraps around above the image */                 \
        if (y >= s->height) continue;                                                          \
        const uint64_t *row = spikes + (sample * s->height + y) * s->width * words + block;    \
        for (size_t kx = 0; kx < 3; kx++) {                                                    \
          size_t x = ox * s->stride + kx - 1;                                                  \
          if (x >= s->width) continue;                                                         \
          uint64_t word = row[x * words];                                                      \
          uint16_t base = (uint16_t)((ky * 3 + kx) * BLOCK * ROW_BYTES);                       \
          LIST_WORD                                                                            \
        }                                                                                      \
      }                                                                                        \
      while ((next - start) % 8) *next++ = (ROWS - 1) * ROW_BYTES;                             \
      counts[p] = (uint32_t)(next - start);                                                    \
    }                                                                                          \
  }

DEFINE_LIST_ROWS(list_rows_portably, inline __attribute__((always_inline)), {
  while (word) {
    *next++ = (uint16_t)(base + (uint16_t)__builtin_ctzll(word) * ROW_BYTES);
    word &= word - 1;
  }
})

#if defined(__x86_64__)
#include <immintrin.h>

static const uint16_t bit_offsets[BLOCK] = {
    0,    64,   128,  192,  256,  320,  384,  448,  512,  576,  640,  704,  768,
    832,  896,  960,  1024, 1088, 1152, 1216, 1280, 1344, 1408, 1472, 1536, 1600,
    1664, 1728, 1792, 1856, 1920, 1984, 2048, 2112, 2176, 2240, 2304, 2368, 2432,
    2496, 2560, 2624, 2688, 2752, 2816, 2880, 2944, 3008, 3072, 3136, 3200, 3264,
    3328, 3392, 3456, 3520, 3584, 3648, 3712, 3776, 3840, 3904, 3968, 4032,
};

// 64 candidates, of which those of the spikes move together: no branch depends on the spikes.
DEFINE_LIST_ROWS(list_rows_compressed, WITH_AVX512(",avx512vbmi2"), {
  __m512i offsets = _mm512_set1_epi16((short)base);
  __m512i low = _mm512_add_epi16(offsets, _mm512_loadu_si512(bit_offsets));
  __m512i high = _mm512_add_epi16(offsets, _mm512_loadu_si512(bit_offsets + 32));
  _mm512_storeu_si512(next, _mm512_maskz_compress_epi16((__mmask32)word, low));
  next += __builtin_popcountll(word & 0xffffffff);
  _mm512_storeu_si512(next, _mm512_maskz_compress_epi16((__mmask32)(word >> 32), high));
  next += __builtin_popcountll(word >> 32);
})

#define LIST_ROWS(...) \
  (sltt_has_compress ? list_rows_compressed(__VA_ARGS__) : list_rows_portably(__VA_ARGS__))
#else
#define LIST_ROWS list_rows_portably
#endif

#define ROW(offset)                                                      \
  ({                                                                     \
    vfloat row_;                                                         \
    memcpy(&row_, (const char *)weights + (offset), sizeof row_);        \
    row_;                                                                \
  })

INLINE void sltt_event_forward_body(const sltt_event_shape *shape, const uint64_t *spikes,
                                    const float *packed, const float *bias, float amplitude,
                                    int accumulates, float *output, void *scratch, size_t first,
                                    size_t last) {
  const sltt_event_shape s = *shape;
  size_t words = words_of(s.inputs), columns = output_blocks(&s);
  uint32_t *counts = scratch;
  uint16_t *lists = (uint16_t *)(counts + TILE);
  for (size_t tile = first; tile < last; tile += TILE) {
    size_t pixels = last - tile < TILE ? last - tile : TILE;
    for (size_t block = 0; block < words; block++) {
      LIST_ROWS(&s, spikes, tile, pixels, block, counts, lists);
      int adds = accumulates || block > 0;
      for (size_t column = 0; column < columns; column++) {
        const float *weights = packed + (block * columns + column) * ROWS * LANES;
        size_t lanes = s.outputs - column * LANES;
        vfloat start = bias && block == 0 ? LOAD(bias + column * LANES, lanes) : (vfloat)0;
        const uint16_t *list = lists;
        float *out = output + tile * s.outputs + column * LANES;
        for (size_t p = 0; p < pixels; p++, out += s.outputs) {
          vfloat a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0, a6 = 0, a7 = 0;
          for (const uint16_t *end = list + counts[p]; list < end; list += 8) {
            a0 += ROW(list[0]);
            a1 += ROW(list[1]);
            a2 += ROW(list[2]);
            a3 += ROW(list[3]);
            a4 += ROW(list[4]);
            a5 += ROW(list[5]);
            a6 += ROW(list[6]);
            a7 += ROW(list[7]);
          }
          vfloat sum = ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7));
          vfloat result = amplitude * sum + start;
          if (adds) result += LOAD(out, lanes);
          STORE(out, result, lanes);
        }
      }
    }
  }
}

VARIANTS(void, sltt_event_forward,
         (const sltt_event_shape *shape, const uint64_t *spikes, const float *packed,
          const float *bias, float amplitude, int accumulates, float *output, void *scratch,
          size_t first, size_t last),
         (shape, spikes, packed, bias, amplitude, accumulates, output, scratch, first, last))
