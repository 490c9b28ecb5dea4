#include "event_tile.h"

#include "bits.h"

size_t sltt_event_widest_output(void) { return (TILE - 1) / 3 - 1; }

// In a tile lie the pixels of each image with the row above, one more row, and the last pixel's border.
band sltt_next_band(const sltt_event_shape *s, size_t sample, size_t row, size_t last) {
  size_t most = (TILE - 1) / pitch_of(s) - 1;
  if (s->output_height < most) {
    size_t left = last - sample, fit = most / (s->output_height + 1);
    if (fit > left) fit = left;
    size_t parts = (left + fit - 1) / fit;
    return (band){sample, (left + parts - 1) / parts, 0, s->output_height};
  }
  size_t left = s->output_height - row, parts = (left + most - 2) / (most - 1);
  return (band){sample, 1, row, (left + parts - 1) / parts};
}

// Puts the spikes of one parity whose windows' centres lie in the band at their places. An input pixel
// (y, x) meets output pixel ((y + 1 - ky) / stride, (x + 1 - kx) / stride) where that divides evenly.
INLINE void place_spikes(const sltt_event_shape *s, const uint64_t *spikes, band b, size_t block,
                         size_t parity, tile_memory *m) {
  size_t words = words_of(s->inputs), stride = s->stride, pitch = pitch_of(s);
  // The place of the output pixel at the greatest tap that exists.
  size_t border = stride == 1 ? 0 : pitch + 1;
  memset(m->words, 0, sizeof m->words);
  for (size_t i = 0; i < b.samples; i++) {
    const uint64_t *image = spikes + (b.sample + i) * s->height * s->width * words + block;
    for (size_t r = 0; r < b.rows; r++) {
      size_t y = (b.row + r) * stride + parity / 2;
      if (y >= s->height) continue;
      uint64_t *to = m->words + (i * (b.rows + 1) + r) * pitch + border;
      for (size_t x = parity % 2; x < s->width; x += stride)
        *to++ = image[(y * s->width + x) * words];
    }
  }
}

// The input pixels at the tile's places, for one parity.
INLINE void place_pixels(const sltt_event_shape *s, band b, size_t parity, uint32_t *pixels) {
  size_t stride = s->stride, pitch = pitch_of(s), border = stride == 1 ? 0 : pitch + 1;
  for (size_t i = 0; i < b.samples; i++) {
    for (size_t r = 0; r < b.rows; r++) {
      size_t y = (b.row + r) * stride + parity / 2;
      if (y >= s->height) continue;
      uint32_t *to = pixels + (i * (b.rows + 1) + r) * pitch + border;
      for (size_t x = parity % 2; x < s->width; x += stride)
        *to++ = (uint32_t)(((b.sample + i) * s->height + y) * s->width + x);
    }
  }
}

// The values of a block's lists.
INLINE void list_values(const sltt_event_shape *s, const float *values, size_t block,
                        const uint32_t *pixels, const uint32_t *ends, tile_memory *m) {
  for (size_t c = 0; c < BLOCK; c++)
    for (size_t k = ends[c]; k < ends[c + 1]; k++)
      m->values[k] = values[pixels[m->lists[k] / ROW_BYTES] * s->inputs + block * BLOCK + c];
}

INLINE void transpose_body(tile_memory *m, size_t words) {
  for (size_t w = 0; w < words; w++)
    transpose_bits(m->words + 64 * w, &m->bits[0][w], TILE_WORDS);
}

STATIC_VARIANTS(void, transpose, (tile_memory *m, size_t words), (m, words))

// Lists the spikes of a block's channels, from where `ends` says that the list before ends.
#define DEFINE_LIST_PIXELS(name, attributes, LIST)                                         \
  attributes static void name(const tile_memory *m, size_t words, uint32_t *ends) {        \
    uint16_t *next = m->lists + ends[0];                                                   \
    for (size_t c = 0; c < BLOCK; c++) {                                                   \
      for (size_t w = 0; w < words; w++) LIST(m->bits[c][w], w * 64 * ROW_BYTES, next)     \
      ends[c + 1] = (uint32_t)(next - m->lists);                                           \
    }                                                                                      \
  }

DEFINE_LIST_PIXELS(list_pixels_portably, , LIST_BITS)
#if defined(__x86_64__)
DEFINE_LIST_PIXELS(list_pixels_compressed, WITH_COMPRESS, COMPRESS_BITS)
#endif

void sltt_list_band(const sltt_event_shape *s, const uint64_t *spikes, const float *values, band b,
                    size_t first_block, size_t last_block, tile_memory *m) {
  uint32_t *ends = m->ends, pixels[TILE];
  // Of the tile, what the band fills.
  size_t words = ((b.samples * (b.rows + 1) + 1) * pitch_of(s) + 64) / 64;
  ends[0] = 0;
  for (size_t parity = 0; parity < parities_of(s); parity++) {
    if (values) place_pixels(s, b, parity, pixels);
    for (size_t block = first_block; block < last_block; block++, ends += BLOCK) {
      place_spikes(s, spikes, b, block, parity, m);
      transpose(m, words);
      CHOOSE_LISTING(list_pixels, m, words, ends);
      if (values) list_values(s, values, block, pixels, ends, m);
    }
  }
}

INLINE void sltt_fill_tile_body(const sltt_event_shape *s, const float *gradient, band b,
                                size_t column, tile_memory *m) {
  size_t pitch = pitch_of(s), lanes = s->outputs - column * LANES;
  size_t rows = b.samples * (b.rows + 1) + 1;
  for (size_t r = 0; r < rows; r++) {
    float *to = m->gradients + r * pitch * LANES;
    memset(to, 0, ROW_BYTES);
    to += LANES;
    // The first row of an image is the one above it; the one below the last image comes at the end.
    size_t i = r < rows - 1 ? r / (b.rows + 1) : b.samples - 1;
    size_t oy = b.row + r - i * (b.rows + 1) - 1;  // wraps around above the image
    if (oy >= s->output_height) {
      memset(to, 0, s->output_width * ROW_BYTES);
      continue;
    }
    const float *from = gradient + column * LANES +
                        ((b.sample + i) * s->output_height + oy) * s->output_width * s->outputs;
    for (size_t x = 0; x < s->output_width; x++) {
      vfloat g = LOAD(from + x * s->outputs, lanes);
      memcpy(to + x * LANES, &g, sizeof g);
    }
  }
  memset(m->gradients + rows * pitch * LANES, 0, ROW_BYTES);
}

VARIANTS(void, sltt_fill_tile,
         (const sltt_event_shape *s, const float *gradient, band b, size_t column, tile_memory *m),
         (s, gradient, b, column, m))
