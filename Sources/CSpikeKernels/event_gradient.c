#include "event_tile.h"

size_t sltt_event_input_blocks(const sltt_event_shape *s) { return input_blocks(s); }

size_t sltt_event_output_blocks(const sltt_event_shape *s) { return output_blocks(s); }

size_t sltt_event_gradient_scratch_bytes(const sltt_event_shape *s, size_t blocks,
                                         int with_values) {
  size_t most = list_count(s, blocks) * TILE;
  return sizeof(tile_memory) + (list_count(s, blocks) + 1) * sizeof(uint32_t) +
         (with_values ? most * sizeof(float) : 0) + most * sizeof(uint16_t) + LIST_EXCESS;
}

// Adds the tile's pixels inside the band to the bias's gradient.
INLINE void add_bias_body(const sltt_event_shape *s, band b, const tile_memory *m,
                          float *bias, size_t lanes) {
  size_t pitch = pitch_of(s);
  vfloat sum = LOAD(bias, lanes);
  for (size_t i = 0; i < b.samples; i++) {
    // What lies between rows is 0.
    const float *first = m->gradients + (i * (b.rows + 1) + 1) * pitch * LANES;
    for (size_t p = 0; p < b.rows * pitch; p++) sum += LOAD(first + p * LANES, LANES);
  }
  STORE(bias, sum, lanes);
}

STATIC_VARIANTS(void, add_bias,
                (const sltt_event_shape *s, band b, const tile_memory *m, float *bias,
                 size_t lanes),
                (s, b, m, bias, lanes))

// Calls STEP with the offset of each pixel of a list, with 0, 1, 2, 3 by turns, and with the pixel's number in
// the list. Four of them are loaded at a time, since loads are what limits the speed.
#define FOR_PIXELS(list, count, STEP)                                                    \
  {                                                                                      \
    size_t k_ = 0, count_ = (count);                                                     \
    for (; k_ + 4 <= count_; k_ += 4) {                                                  \
      uint64_t four_;                                                                    \
      memcpy(&four_, (list) + k_, sizeof four_);                                         \
      STEP((uint16_t)four_, 0, k_);                                                      \
      STEP((uint16_t)(four_ >> 16), 1, k_ + 1);                                          \
      STEP((uint16_t)(four_ >> 32), 2, k_ + 2);                                          \
      STEP(four_ >> 48, 3, k_ + 3);                                                      \
    }                                                                                    \
    for (; k_ < count_; k_++) STEP((list)[k_], 0, k_);                                   \
  }

// Adds to `sum` the gradients of the pixel that lies `place` pixels behind the one at `row + offset`, times
// `value` where pixels have values.
#define COUNT(sum, row, offset, place)                                                   \
  {                                                                                      \
    vfloat g_;                                                                           \
    memcpy(&g_, (row) + (offset) + (place) * ROW_BYTES, sizeof g_);                      \
    sum += values ? value * g_ : g_;                                                     \
  }

#define ADD(tap, sum)                                                       \
  ({                                                                        \
    float *to_ = gradient + (tap) * tap_stride;                             \
    vfloat total_ = LOAD(to_, lanes) + amplitude * (sum);                   \
    STORE(to_, total_, lanes);                                              \
  })

// The nine taps of stride 1: one spike meets the gradients of nine output pixels.
INLINE void add_all_taps(const float *tile, const uint16_t *list, const float *values, size_t count,
                         size_t pitch, float amplitude, float *gradient, size_t tap_stride,
                         size_t lanes) {
  const char *row0 = (const char *)tile, *row1 = row0 + pitch * ROW_BYTES;
  const char *row2 = row1 + pitch * ROW_BYTES;
  vfloat s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0, s8 = 0;
#define STEP(offset, turn, number)  \
  {                                 \
    size_t o_ = (offset);           \
    float value = values ? values[number] : 1; \
    COUNT(s8, row0, o_, 0);         \
    COUNT(s7, row0, o_, 1);         \
    COUNT(s6, row0, o_, 2);         \
    COUNT(s5, row1, o_, 0);         \
    COUNT(s4, row1, o_, 1);         \
    COUNT(s3, row1, o_, 2);         \
    COUNT(s2, row2, o_, 0);         \
    COUNT(s1, row2, o_, 1);         \
    COUNT(s0, row2, o_, 2);         \
  }
  FOR_PIXELS(list, count, STEP)
#undef STEP
  ADD(0, s0);
  ADD(1, s1);
  ADD(2, s2);
  ADD(3, s3);
  ADD(4, s4);
  ADD(5, s5);
  ADD(6, s6);
  ADD(7, s7);
  ADD(8, s8);
}

// The taps of stride 2: in each direction an even pixel meets tap 1 only, an odd one taps 2 and 0. Each
// tap has two sums or four, by turns, for so few would keep additions waiting for the one before.
INLINE void add_some_taps(size_t dy, size_t dx, const float *tile, const uint16_t *list,
                          const float *values, size_t count, size_t pitch, float amplitude,
                          float *gradient, size_t tap_stride, size_t lanes) {
  const char *row0 = (const char *)tile, *row1 = row0 + pitch * ROW_BYTES;
  vfloat s0[4] = {0}, s1[4] = {0}, s2[4] = {0}, s3[4] = {0};
#define STEP(offset, turn, number)                             \
  {                                                            \
    size_t o_ = (offset), t_ = dy && dx ? (turn) % 2 : (turn); \
    float value = values ? values[number] : 1;                 \
    COUNT(s0[t_], row0, o_, 0);                                \
    if (dx) COUNT(s1[t_], row0, o_, 1);                        \
    if (dy) COUNT(s2[t_], row1, o_, 0);                        \
    if (dy && dx) COUNT(s3[t_], row1, o_, 1);                  \
  }
  FOR_PIXELS(list, count, STEP)
#undef STEP
#define TOTAL(s) (s[0] + s[1] + (s[2] + s[3]))
  size_t last = 3 * (1 + dy) + 1 + dx;
  ADD(last, TOTAL(s0));
  if (dx) ADD(last - 2, TOTAL(s1));
  if (dy) ADD(last - 6, TOTAL(s2));
  if (dy && dx) ADD(last - 8, TOTAL(s3));
#undef TOTAL
}

// Adds to 16 columns of the gradient of `channels` input channels, from their lists of one parity,
// which `ends` begins before. Meanwhile it fetches what comes next: pixels of 16 output channels.
INLINE void add_products(const sltt_event_shape *s, const tile_memory *m, _Bool has_values,
                         size_t parity, const uint32_t *ends, size_t channels, float amplitude,
                         float *gradient, size_t lanes, const float *next, size_t pixels) {
  size_t pitch = pitch_of(s), tap_stride = s->inputs * s->outputs;
  size_t fetches = (pixels + channels - 1) / channels;
  const float *last = next + pixels * s->outputs;
  for (size_t c = 0; c < channels; c++, gradient += s->outputs) {
    for (size_t i = 0; i < fetches && next < last; i++, next += s->outputs)
      __builtin_prefetch(next, 0, 2);
    const uint16_t *list = m->lists + ends[c];
    const float *values = has_values ? m->values + ends[c] : NULL;
    size_t count = ends[c + 1] - ends[c];
    if (!count) continue;
#define ARGUMENTS m->gradients, list, values, count, pitch, amplitude, gradient, tap_stride, lanes
    if (s->stride == 1)
      add_all_taps(ARGUMENTS);
    else if (parity == 0)
      add_some_taps(0, 0, ARGUMENTS);
    else if (parity == 1)
      add_some_taps(0, 1, ARGUMENTS);
    else if (parity == 2)
      add_some_taps(1, 0, ARGUMENTS);
    else
      add_some_taps(1, 1, ARGUMENTS);
#undef ARGUMENTS
  }
}

#define PRODUCT_PARAMETERS                                                                         \
  (const sltt_event_shape *s, const tile_memory *m, size_t parity, const uint32_t *ends,           \
   size_t channels, float amplitude, float *gradient, size_t lanes, const float *next,             \
   size_t pixels)
#define PRODUCT_ARGUMENTS (s, m, parity, ends, channels, amplitude, gradient, lanes, next, pixels)

INLINE void add_spikes_body PRODUCT_PARAMETERS {
  add_products(s, m, 0, parity, ends, channels, amplitude, gradient, lanes, next, pixels);
}

INLINE void add_values_body PRODUCT_PARAMETERS {
  add_products(s, m, 1, parity, ends, channels, amplitude, gradient, lanes, next, pixels);
}

STATIC_VARIANTS(void, add_spikes, PRODUCT_PARAMETERS, PRODUCT_ARGUMENTS)
STATIC_VARIANTS(void, add_values, PRODUCT_PARAMETERS, PRODUCT_ARGUMENTS)

void sltt_event_weight_gradient(const sltt_event_shape *s, const uint64_t *spikes,
                                const float *values, const float *output_gradient, float amplitude,
                                float *gradient, float *bias_gradient, void *scratch, size_t first,
                                size_t last, size_t first_block, size_t last_block,
                                size_t first_column, size_t last_column) {
  size_t blocks = last_block - first_block, channels = blocks * BLOCK;
  tile_memory *m = scratch;
  m->ends = (uint32_t *)(m + 1);
  m->values = values ? (float *)(m->ends + list_count(s, blocks) + 1) : NULL;
  m->lists = values ? (uint16_t *)(m->values + list_count(s, blocks) * TILE)
                    : (uint16_t *)(m->ends + list_count(s, blocks) + 1);
  if (last_block == input_blocks(s)) channels = s->inputs - first_block * BLOCK;
  for (size_t sample = first, row = 0; sample < last;) {
    band b = sltt_next_band(s, sample, row, last);
    sltt_list_band(s, spikes, values, b, first_block, last_block, m);
    const float *from =
        output_gradient + (sample * s->output_height + row) * s->output_width * s->outputs;
    size_t pixels = b.samples * b.rows * s->output_width;
    for (size_t column = first_column; column < last_column; column++) {
      size_t lanes = s->outputs - column * LANES;
      sltt_fill_tile(s, output_gradient, b, column, m);
      if (bias_gradient && first_block == 0)
        add_bias(s, b, m, bias_gradient + column * LANES, lanes);
      float *to = gradient + first_block * BLOCK * s->outputs + column * LANES;
      // The next 16 output channels, or the first ones of the next band.
      const float *next = from + (column + 1 < last_column
                                      ? (column + 1) * LANES
                                      : pixels * s->outputs + first_column * LANES);
      for (size_t parity = 0; parity < parities_of(s); parity++)
        (values ? add_values : add_spikes)(s, m, parity, m->ends + parity * blocks * BLOCK,
                                           channels, amplitude, to, lanes, next,
                                           parity == 0 ? pixels : 0);
    }
    row += b.rows;
    if (row == s->output_height) {
      row = 0;
      sample += b.samples;
    }
  }
}
