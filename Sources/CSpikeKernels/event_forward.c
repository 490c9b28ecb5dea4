#include "events.h"

// Pixels whose lists are made before the weights are gone through, block by block.
enum { TILE = 512, LIST = ROWS + 7 };

size_t sltt_event_forward_scratch_bytes(size_t pixels) {
  size_t lists = pixels < TILE ? pixels : TILE;
  return TILE * sizeof(uint32_t) + lists * LIST * sizeof(uint16_t) + LIST_EXCESS;
}

// Lists, for output pixels first ..< first + pixels, the rows of packed weights under the spikes of
// the pixel's window, as byte offsets, filled up to a multiple of 8 with the row of zeros. LISTED adds
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

// The sums of a column of output channels, as many as a row of packed weights has.
typedef struct {
  const uint16_t *lists;
  const uint32_t *counts;
  size_t pixels;
  const float *weights;
  size_t rows_ahead;             // of the next column, to be fetched meanwhile for each pixel
  float amplitude;
  const float *bias;             // NULL for 0
  float *output;
  size_t outputs, lanes;         // of a pixel in memory, and those that the column has
  int adds;                      // to the output
} column_sums;

#define FETCH_AHEAD \
  for (size_t i_ = 0; i_ < s.rows_ahead; i_++, ahead += LANES) __builtin_prefetch(ahead, 0, 2);

#define ROW(type, offset)                                              \
  ({                                                                   \
    type row_;                                                         \
    memcpy(&row_, (const char *)s.weights + (offset), sizeof row_);    \
    row_;                                                              \
  })

#define FINISH(out, sum, lanes)                        \
  {                                                    \
    vfloat result_ = (sum);                            \
    if (s.adds) result_ += LOAD(out, lanes);           \
    STORE(out, result_, lanes);                        \
  }

INLINE void sum_rows_body(const column_sums *column) {
  const column_sums s = *column;
  const uint16_t *list = s.lists;
  const float *ahead = s.weights + ROWS * LANES;
  float *out = s.output;
  vfloat start = s.bias ? LOAD(s.bias, s.lanes) : (vfloat)0;
  for (size_t p = 0; p < s.pixels; p++, out += s.outputs) {
    FETCH_AHEAD
    vfloat a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0, a6 = 0, a7 = 0;
    for (const uint16_t *end = list + s.counts[p]; list < end; list += 8) {
      // Loads limit the speed: these are of four entries each.
      uint64_t first, second;
      memcpy(&first, list, sizeof first);
      memcpy(&second, list + 4, sizeof second);
      a0 += ROW(vfloat, (uint16_t)first);
      a1 += ROW(vfloat, (uint16_t)(first >> 16));
      a2 += ROW(vfloat, (uint16_t)(first >> 32));
      a3 += ROW(vfloat, first >> 48);
      a4 += ROW(vfloat, (uint16_t)second);
      a5 += ROW(vfloat, (uint16_t)(second >> 16));
      a6 += ROW(vfloat, (uint16_t)(second >> 32));
      a7 += ROW(vfloat, second >> 48);
    }
    vfloat sum = ((a0 + a1) + (a2 + a3)) + ((a4 + a5) + (a6 + a7));
    FINISH(out, s.amplitude * sum + start, s.lanes)
  }
}

STATIC_VARIANTS(void, sum_rows, (const column_sums *column), (column))

// Upper halves are multiplied by the amplitude at once: additions alone would keep only half of the
// vector units busy.
#define ADD_HALVES(offset, lower, upper)                             \
  {                                                                  \
    vuint pair_ = ROW(vuint, offset);                                \
    lower += (vfloat)(pair_ << 16);                                  \
    upper += s.amplitude * (vfloat)(pair_ & 0xffff0000);             \
  }

INLINE void sum_rounded_rows_body(const column_sums *column) {
  const column_sums s = *column;
  const uint16_t *list = s.lists;
  const float *ahead = s.weights + ROWS * LANES;
  float *out = s.output;
  size_t upper_lanes = s.lanes > LANES ? s.lanes - LANES : 0;
  vfloat start = s.bias ? LOAD(s.bias, s.lanes) : (vfloat)0;
  vfloat upper_start = s.bias ? LOAD(s.bias + LANES, upper_lanes) : (vfloat)0;
  for (size_t p = 0; p < s.pixels; p++, out += s.outputs) {
    FETCH_AHEAD
    vfloat a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = upper_start, b1 = 0, b2 = 0, b3 = 0;
    for (const uint16_t *end = list + s.counts[p]; list < end; list += 4) {
      uint64_t four;
      memcpy(&four, list, sizeof four);
      ADD_HALVES((uint16_t)four, a0, b0)
      ADD_HALVES((uint16_t)(four >> 16), a1, b1)
      ADD_HALVES((uint16_t)(four >> 32), a2, b2)
      ADD_HALVES(four >> 48, a3, b3)
    }
    FINISH(out, s.amplitude * ((a0 + a1) + (a2 + a3)) + start, s.lanes)
    FINISH(out + LANES, (b0 + b1) + (b2 + b3), upper_lanes)
  }
}

STATIC_VARIANTS(void, sum_rounded_rows, (const column_sums *column), (column))

void sltt_event_forward(const sltt_event_shape *s, const uint64_t *spikes, const float *packed,
                        const float *bias, float amplitude, int accumulates, float *output,
                        void *scratch, size_t first, size_t last) {
  size_t columns = row_blocks(s), width = row_outputs(s);
  // Weights that are too many to stay in the second-level cache are fetched ahead.
  int fetches = sltt_event_packed_count(s) * sizeof(float) > 1 << 19;
  uint32_t *counts = scratch;
  uint16_t *lists = (uint16_t *)(counts + TILE);
  for (size_t tile = first; tile < last; tile += TILE) {
    size_t pixels = last - tile < TILE ? last - tile : TILE;
    for (size_t block = 0; block < input_blocks(s); block++) {
      CHOOSE_LISTING(list_rows, s, spikes, tile, pixels, block, counts, lists);
      for (size_t column = 0; column < columns; column++) {
        column_sums sums = {
            .lists = lists,
            .counts = counts,
            .pixels = pixels,
            .weights = packed + (block * columns + column) * ROWS * LANES,
            .rows_ahead = fetches ? (ROWS + pixels - 1) / pixels : 0,
            .amplitude = amplitude,
            .bias = bias && block == 0 ? bias + column * width : NULL,
            .output = output + tile * s->outputs + column * width,
            .outputs = s->outputs,
            .lanes = s->outputs - column * width,
            .adds = accumulates || block > 0,
        };
        if (s->rounds_weights)
          sum_rounded_rows(&sums);
        else
          sum_rows(&sums);
      }
    }
  }
}
