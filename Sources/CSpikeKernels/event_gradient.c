#include "events.h"
#include "variants.h"

// A tile of output gradients, 16 channels wide, stays in the first-level cache. Its pixels are those
// of a band of rows, or of several small images, each with a border of zeros.
enum { TILE = 448 };

typedef struct {
  float gradients[TILE * LANES];
  // For each parity of an input pixel's row and column (all 0 with stride 1) and each input channel:
  // the offsets in bytes of the tile pixels at the last tap, tap (2, 2) or the last that exists.
  uint16_t lists[4][BLOCK][TILE];
  uint32_t counts[4][BLOCK];
} scratch_memory;

// A part of the output of consecutive samples that fills a tile.
typedef struct {
  size_t sample, samples;        // samples it takes from
  size_t row, rows;              // output rows of each
} band;

size_t sltt_event_gradient_scratch_bytes(void) { return sizeof(scratch_memory); }

size_t sltt_event_widest_output(void) { return TILE / 3 - 2; }

// Output rows of a band and their number of samples.
INLINE band next_band(const sltt_event_shape *s, size_t sample, size_t row, size_t last) {
  size_t width = s->output_width + 2, most = TILE / width - 2;
  if (s->output_height <= most) {
    size_t fit = TILE / ((s->output_height + 2) * width);
    return (band){sample, last - sample < fit ? last - sample : fit, 0, s->output_height};
  }
  size_t left = s->output_height - row;
  return (band){sample, 1, row, left < most ? left : most};
}

// Lists the spikes whose windows' centres lie in the band. An input pixel (y, x) meets output pixel
// ((y + 1 - ky) / stride, (x + 1 - kx) / stride) where that divides evenly.
INLINE void list_spikes(const sltt_event_shape *s, const uint64_t *spikes, band b, size_t block,
                        scratch_memory *m) {
  size_t words = words_of(s->inputs), stride = s->stride, width = s->output_width + 2;
  memset(m->counts, 0, sizeof m->counts);
  size_t first = b.row * stride, end = (b.row + b.rows) * stride;
  if (b.row + b.rows == s->output_height || end > s->height) end = s->height;
  for (size_t i = 0; i < b.samples; i++) {
    const uint64_t *image = spikes + (b.sample + i) * s->height * s->width * words + block;
    for (size_t y = first; y < end; y++) {
      for (size_t x = 0; x < s->width; x++) {
        uint64_t word = image[(y * s->width + x) * words];
        if (!word) continue;
        // The tile's row and column of the output pixel at the greatest tap that exists, where its
        // border is row and column 0.
        size_t parity = stride == 1 ? 0 : (y & 1) * 2 + (x & 1);
        size_t oy = stride == 1 ? y - first : (y - first) / 2 + 1;
        size_t ox = stride == 1 ? x : x / 2 + 1;
        size_t pixel = (i * (b.rows + 2) + oy) * width + ox;
        while (word) {
          size_t c = (size_t)__builtin_ctzll(word);
          word &= word - 1;
          m->lists[parity][c][m->counts[parity][c]++] = (uint16_t)(pixel * ROW_BYTES);
        }
      }
    }
  }
}

// Copies 16 channels of the band's output gradients, with its neighbours above and below, to the tile.
INLINE void fill_tile(const sltt_event_shape *s, const float *gradient, band b, size_t column,
                      scratch_memory *m) {
  size_t width = s->output_width + 2, lanes = s->outputs - column * LANES;
  for (size_t i = 0; i < b.samples; i++) {
    for (size_t r = 0; r < b.rows + 2; r++) {
      size_t oy = b.row + r - 1;  // wraps around above the image
      float *to = m->gradients + (i * (b.rows + 2) + r) * width * LANES;
      if (oy >= s->output_height) {
        memset(to, 0, width * ROW_BYTES);
        continue;
      }
      const float *from = gradient + column * LANES +
                          ((b.sample + i) * s->output_height + oy) * s->output_width * s->outputs;
      memset(to, 0, ROW_BYTES);
      for (size_t x = 0; x < s->output_width; x++) {
        vfloat g = LOAD(from + x * s->outputs, lanes);
        memcpy(to + (x + 1) * LANES, &g, sizeof g);
      }
      memset(to + (width - 1) * LANES, 0, ROW_BYTES);
    }
  }
}

// Adds the tile's pixels inside the band to the bias's gradient.
INLINE void add_bias(const sltt_event_shape *s, band b, const scratch_memory *m, float *bias,
                     size_t lanes) {
  size_t width = s->output_width + 2;
  vfloat sum = LOAD(bias, lanes);
  for (size_t i = 0; i < b.samples; i++) {
    for (size_t r = 1; r <= b.rows; r++) {
      // The border beside the image is 0.
      const float *row = m->gradients + (i * (b.rows + 2) + r) * width * LANES;
      for (size_t x = 0; x < width; x++) sum += LOAD(row + x * LANES, LANES);
    }
  }
  STORE(bias, sum, lanes);
}

#define GRADIENT(place)                                    \
  ({                                                       \
    vfloat g_;                                             \
    memcpy(&g_, pixel + (place) * LANES, sizeof g_);       \
    g_;                                                    \
  })

#define ADD(tap, sum)                                                       \
  ({                                                                        \
    float *to_ = gradient + (tap) * tap_stride;                             \
    vfloat total_ = LOAD(to_, lanes) + amplitude * (sum);                   \
    STORE(to_, total_, lanes);                                              \
  })

// The nine taps of stride 1: one spike meets the gradients of nine output pixels.
INLINE void add_all_taps(const float *tile, const uint16_t *list, uint32_t count, size_t width,
                         float amplitude, float *gradient, size_t tap_stride, size_t lanes) {
  vfloat s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0, s8 = 0;
  for (uint32_t k = 0; k < count; k++) {
    const float *pixel = (const float *)((const char *)tile + list[k]);
    s8 += GRADIENT(0);
    s7 += GRADIENT(1);
    s6 += GRADIENT(2);
    s5 += GRADIENT(width);
    s4 += GRADIENT(width + 1);
    s3 += GRADIENT(width + 2);
    s2 += GRADIENT(2 * width);
    s1 += GRADIENT(2 * width + 1);
    s0 += GRADIENT(2 * width + 2);
  }
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

// The taps of stride 2: in each direction an even pixel meets tap 1 only, an odd one taps 2 and 0.
INLINE void add_some_taps(size_t parity, const float *tile, const uint16_t *list, uint32_t count,
                          size_t width, float amplitude, float *gradient, size_t tap_stride,
                          size_t lanes) {
  static const uint8_t taps[4][4] = {{4, 4, 4, 4}, {5, 3, 5, 3}, {7, 7, 1, 1}, {8, 6, 2, 0}};
  const uint8_t *tap = taps[parity];
  size_t dx = parity & 1, dy = (parity >> 1) * width;
  vfloat s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (uint32_t k = 0; k < count; k++) {
    const float *pixel = (const float *)((const char *)tile + list[k]);
    s0 += GRADIENT(0);
    if (dx) s1 += GRADIENT(1);
    if (dy) s2 += GRADIENT(width);
    if (dx && dy) s3 += GRADIENT(width + 1);
  }
  ADD(tap[0], s0);
  if (dx) ADD(tap[1], s1);
  if (dy) ADD(tap[2], s2);
  if (dx && dy) ADD(tap[3], s3);
}

INLINE void sltt_event_weight_gradient_body(const sltt_event_shape *shape, const uint64_t *spikes,
                                            const float *output_gradient, float amplitude,
                                            float *gradient, float *bias_gradient, void *scratch,
                                            size_t first, size_t last, size_t first_block,
                                            size_t last_block) {
  const sltt_event_shape s = *shape;
  scratch_memory *m = scratch;
  size_t width = s.output_width + 2, columns = output_blocks(&s), parities = s.stride == 1 ? 1 : 4;
  size_t tap_stride = s.inputs * s.outputs;
  for (size_t sample = first, row = 0; sample < last;) {
    band b = next_band(&s, sample, row, last);
    for (size_t block = first_block; block < last_block; block++) {
      list_spikes(&s, spikes, b, block, m);
      size_t channels = s.inputs - block * BLOCK < BLOCK ? s.inputs - block * BLOCK : BLOCK;
      for (size_t column = 0; column < columns; column++) {
        fill_tile(&s, output_gradient, b, column, m);
        size_t lanes = s.outputs - column * LANES;
        if (bias_gradient && block == 0)
          add_bias(&s, b, m, bias_gradient + column * LANES, lanes);
        for (size_t parity = 0; parity < parities; parity++) {
          for (size_t c = 0; c < channels; c++) {
            uint32_t count = m->counts[parity][c];
            if (!count) continue;
            float *to = gradient + (block * BLOCK + c) * s.outputs + column * LANES;
            const uint16_t *list = m->lists[parity][c];
            if (s.stride == 1)
              add_all_taps(m->gradients, list, count, width, amplitude, to, tap_stride, lanes);
            else
              add_some_taps(parity, m->gradients, list, count, width, amplitude, to, tap_stride,
                            lanes);
          }
        }
      }
    }
    row += b.rows;
    if (row == s.output_height) {
      row = 0;
      sample += b.samples;
    }
  }
}

VARIANTS(void, sltt_event_weight_gradient,
         (const sltt_event_shape *shape, const uint64_t *spikes, const float *output_gradient,
          float amplitude, float *gradient, float *bias_gradient, void *scratch, size_t first,
          size_t last, size_t first_block, size_t last_block),
         (shape, spikes, output_gradient, amplitude, gradient, bias_gradient, scratch, first,
          last, first_block, last_block))
