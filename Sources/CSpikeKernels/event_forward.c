#include "events.h"

// Pixels whose lists are made before the weights are gone through, block by block.
enum { TILE = 512, LIST = ROWS + 7 };

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
  return TILE * (LIST * sizeof(uint16_t) + sizeof(uint32_t)) + LIST_EXCESS;
}

size_t sltt_event_scratch_bytes(const sltt_event_shape *s) {
  size_t a = forward_scratch_bytes(), b = sltt_event_gradient_scratch_bytes(s);
  return a > b ? a : b;
}

// Lists, for output pixels first ..< first + pixels, the rows of packed weights under the spikes of the
// pixel's window, as byte offsets, filled up to a multiple of 8 with the row of zeros. LISTED adds
// the rows of one word of spikes.
#define DEFINE_LIST_ROWS(name, attributes, LISTED)                                             \
  attributes static void name(const sltt_event_shape *s, const uint64_t *spikes, size_t first, \
                              size_t pixels, size_t block, uint32_t *counts, uint16_t *next) { \
    size_t words = words_of(s->inputs), ox = first % s->output_width;                          \
    size_t oy = first / s->output_width % s->output_height;                                    \
    size_t sample = first / s->output_width / s->output_height;                                \
    for (size_t p = 0; p < pixels; p++) {                                                      \
      uint16_t *start = next;                                                                  \
      for (size_t ky = 0; ky < 3; ky++) {                                                      \
        size_t y = oy * s->stride + ky - 1; /* wraps around above the image */                 \
        if (y >= s->height) continue;                                                          \
        const uint64_t *row = spikes + (sample * s->height + y) * s->width * words + block;    \
        for (size_t kx = 0; kx < 3; kx++) {                                                    \
          size_t x = ox * s->stride + kx - 1;                                                  \
          if (x >= s->width) continue;                                                         \
          LISTED(row[x * words], (ky * 3 + kx) * BLOCK * ROW_BYTES, next)                      \
        }                                                                                      \
      }                                                                                        \
      for (size_t i = 0; i < 8; i++) next[i] = (ROWS - 1) * ROW_BYTES;                         \
      counts[p] = (uint32_t)(next - start + 7) / 8 * 8;                                        \
      next = start + counts[p];                                                                \
      if (++ox < s->output_width) continue;                                                    \
      ox = 0;                                                                                  \
      if (++oy < s->output_height) continue;                                                   \
      oy = 0;                                                                                  \
      sample++;                                                                                \
    }                                                                                          \
  }

DEFINE_LIST_ROWS(list_rows_portably, , LIST_BITS)
#if defined(__x86_64__)
DEFINE_LIST_ROWS(list_rows_compressed, WITH_COMPRESS, COMPRESS_BITS)
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
  // Whether the weights are too many to stay in the second-level cache.
  int fetches = words * columns * ROWS * ROW_BYTES > 1 << 19;
  uint32_t *counts = scratch;
  uint16_t *lists = (uint16_t *)(counts + TILE);
  for (size_t tile = first; tile < last; tile += TILE) {
    size_t pixels = last - tile < TILE ? last - tile : TILE;
    for (size_t block = 0; block < words; block++) {
      CHOOSE_LISTING(list_rows, &s, spikes, tile, pixels, block, counts, lists);
      int adds = accumulates || block > 0;
      for (size_t column = 0; column < columns; column++) {
        const float *weights = packed + (block * columns + column) * ROWS * LANES;
        size_t lanes = s.outputs - column * LANES;
        vfloat start = bias && block == 0 ? LOAD(bias + column * LANES, lanes) : (vfloat)0;
        const uint16_t *list = lists;
        float *out = output + tile * s.outputs + column * LANES;
        const float *ahead = weights + ROWS * LANES;
        size_t rows_ahead = fetches ? (ROWS + pixels - 1) / pixels : 0;
        for (size_t p = 0; p < pixels; p++, out += s.outputs) {
          for (size_t i = 0; i < rows_ahead; i++, ahead += LANES) __builtin_prefetch(ahead, 0, 2);
          vfloat a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0, a6 = 0, a7 = 0;
          for (const uint16_t *end = list + counts[p]; list < end; list += 8) {
            uint64_t low, high;
            memcpy(&low, list, sizeof low);
            memcpy(&high, list + 4, sizeof high);
            a0 += ROW((uint16_t)low);
            a1 += ROW((uint16_t)(low >> 16));
            a2 += ROW((uint16_t)(low >> 32));
            a3 += ROW(low >> 48);
            a4 += ROW((uint16_t)high);
            a5 += ROW((uint16_t)(high >> 16));
            a6 += ROW((uint16_t)(high >> 32));
            a7 += ROW(high >> 48);
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
