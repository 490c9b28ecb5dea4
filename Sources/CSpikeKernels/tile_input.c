#include "tiles.h"

enum { CHANNELS = LINE / 2 };      // of a line of bfloat16 numbers

// An input pixel's row is stride * q + r. It meets the output's row q + (r + padding - tap) / stride
// where that divides evenly: `distance_of`, from `least_distance` on.
INLINE size_t quotients_of(size_t size, const sltt_tile_shape *s) {
  return divided_up(size, s->stride);
}

INLINE int is_met(const sltt_tile_shape *s, size_t rest, size_t tap) {
  return (rest + s->padding + s->stride * s->kernel - tap) % s->stride == 0;
}

INLINE ptrdiff_t distance_of(const sltt_tile_shape *s, size_t rest, size_t tap) {
  return ((ptrdiff_t)(rest + s->padding) - (ptrdiff_t)tap) / (ptrdiff_t)s->stride;
}

INLINE ptrdiff_t least_distance(const sltt_tile_shape *s) {
  return -(ptrdiff_t)((s->kernel - 1 - s->padding) / s->stride);
}

int sltt_tile_has_input_gradient(const sltt_tile_shape *s) { return s->padding < s->kernel; }

INLINE size_t channel_blocks(const sltt_tile_shape *s) { return divided_up(s->outputs, CHANNELS); }

// The output's gradient, in lines of 32 channels; each part has its blocks.
INLINE tile_layout layout_of(const sltt_tile_shape *s, size_t samples) {
  size_t width = quotients_of(s->width, s), together = side_by_side(width, samples, TILE_ROWS);
  ptrdiff_t greatest = (ptrdiff_t)((s->stride - 1 + s->padding) / s->stride);
  size_t reach = (size_t)(greatest - least_distance(s));
  return (tile_layout){.samples = together,
                       .groups = divided_up(samples, together),
                       .rows = quotients_of(s->height, s),
                       .phases = 1,
                       .reach = reach,
                       .pitch = width + reach,
                       .row_lines = (width + reach) * together,
                       .blocks = channel_blocks(s) * s->parts};
}

// Of a product: of all blocks, taps and pairs of parts.
INLINE size_t steps_of(const sltt_tile_shape *s) {
  return channel_blocks(s) * s->kernel * s->kernel * (s->parts * (s->parts + 1) / 2);
}

size_t sltt_tile_input_pairs(const sltt_tile_shape *s) { return tile_pairs(s->inputs); }

// The tiles of all blocks of output channels, all taps and all parts.
size_t sltt_tile_transposed_bytes(const sltt_tile_shape *s) {
  return channel_blocks(s) * s->kernel * s->kernel * s->parts * PAIR_BYTES;
}

// Cuts numbers into parts: STORE_PART is called with each part's number and its bfloat16 numbers in
// `rounded`.
#define FOR_PARTS(value, parts, STORE_PART)                                       \
  {                                                                               \
    vfloat left_ = (value);                                                       \
    for (size_t part = 0; part < (parts); part++) {                               \
      uint16_t rounded[LANES];                                                    \
      STORE_ROUNDED(rounded, left_, LANES);                                       \
      STORE_PART                                                                  \
      left_ -= LOAD_ROUNDED(rounded, LANES);                                      \
    }                                                                             \
  }

INLINE void sltt_tile_transpose_body(const sltt_tile_shape *s, const sltt_weights *weights,
                                     size_t slice, void *packed, size_t first, size_t last) {
  size_t taps = s->kernel * s->kernel, tap_bytes = s->parts * PAIR_BYTES;
  for (size_t pair = first; pair < last; pair++) {
    char *to = (char *)packed + (pair - slice) * sltt_tile_transposed_bytes(s);
    for (size_t block = 0; block < channel_blocks(s); block++) {
      for (size_t tap = 0; tap < taps; tap++, to += tap_bytes) {
        memset(to, 0, tap_bytes);
        for (size_t column = 0; column < PAIR && pair * PAIR + column < s->inputs; column++) {
          size_t row = tap * s->inputs + pair * PAIR + column;
          char *place = to + column / TILE_ROWS * TILE_BYTES + column % TILE_ROWS * 4;
          for (size_t k = 0; k < CHANNELS; k += LANES) {
            size_t c = block * CHANNELS + k;
            if (c >= s->outputs) break;
            vfloat value = LOAD_WEIGHTS(weights, row, s->outputs, c, s->outputs - c);
            FOR_PARTS(value, s->parts, {
              for (size_t i = 0; i < LANES; i += 2)
                memcpy(place + part * PAIR_BYTES + (k + i) / 2 * LINE, rounded + i, 4);
            })
          }
        }
      }
    }
  }
}

VARIANTS(void, sltt_tile_transpose,
         (const sltt_tile_shape *s, const sltt_weights *weights, size_t slice, void *packed,
          size_t first, size_t last),
         (s, weights, slice, packed, first, last))

size_t sltt_tile_input_rows(const sltt_tile_shape *s, size_t samples) {
  tile_layout l = layout_of(s, samples);
  return l.groups * l.rows;
}

size_t sltt_tile_input_scratch_bytes(const sltt_tile_shape *s, size_t samples) {
  tile_layout l = layout_of(s, samples);
  return scratch_bytes(steps_of(s), most_band_bytes(&l, quotients_of(s->width, s)));
}

// Cuts the gradients around a band into lines. Lines beside an image are 0; those above and below it
// are never read.
INLINE void cut_band_body(const sltt_tile_shape *s, const tile_layout *l, const tile_band *b,
                          const float *gradient, const uint16_t *given, size_t samples,
                          uint8_t *to) {
  size_t block_bytes = block_lines(l, b) * LINE, part_bytes = channel_blocks(s) * block_bytes;
  for (size_t g = 0; g < b->groups; g++) {
    for (size_t i = 0; i < l->samples; i++) {
      size_t sample = (b->group + g) * l->samples + i;
      if (sample >= samples) break;
      for (size_t slot = 0; slot < b->rows + l->reach; slot++) {
        size_t y = b->row + slot + (size_t)least_distance(s); /* wraps around above the image */
        if (y >= s->output_height) continue;
        uint8_t *line = to + (g * band_lines(l, b->rows) + slot * l->row_lines + i) * LINE;
        for (size_t column = 0; column < l->pitch; column++, line += l->samples * LINE) {
          size_t x = column + (size_t)least_distance(s);
          size_t pixel = ((sample * s->output_height + y) * s->output_width + x) * s->outputs;
          for (size_t c = 0; c < channel_blocks(s) * CHANNELS; c += LANES) {
            uint8_t *place = line + c / CHANNELS * block_bytes + c % CHANNELS * 2;
            size_t lanes = x < s->output_width && c < s->outputs ? s->outputs - c : 0;
            if (given) {
              vfloat value = LOAD_ROUNDED(lanes ? given + pixel + c : given, lanes);
              STORE_ROUNDED((uint16_t *)place, value, LANES);
              continue;
            }
            vfloat value = LOAD(lanes ? gradient + pixel + c : gradient, lanes);
            FOR_PARTS(value, s->parts,
                      { memcpy(place + part * part_bytes, rounded, sizeof rounded); })
          }
        }
      }
    }
  }
}

STATIC_VARIANTS(void, cut_band,
                (const sltt_tile_shape *s, const tile_layout *l, const tile_band *b,
                 const float *gradient, const uint16_t *given, size_t samples, uint8_t *to),
                (s, l, b, gradient, given, samples, to))

// Lists the tiles that meet the input's pixels of a row q of quotients with rests ry and rx: of all
// blocks, all taps that are not above or below the image, and the pairs of parts that count.
static size_t list_steps(const sltt_tile_shape *s, const tile_layout *l, const tile_band *b, size_t q,
                         size_t ry, size_t rx, tile_step *steps) {
  size_t count = 0, block_bytes = block_lines(l, b) * LINE, blocks = channel_blocks(s);
  for (size_t block = 0; block < blocks; block++) {
    for (size_t ky = 0; ky < s->kernel; ky++) {
      size_t y = q + (size_t)distance_of(s, ry, ky);
      if (!is_met(s, ry, ky) || y >= s->output_height) continue;
      for (size_t kx = 0; kx < s->kernel; kx++) {
        if (!is_met(s, rx, kx)) continue;
        size_t slot = y - b->row - (size_t)least_distance(s);
        size_t column = (size_t)(distance_of(s, rx, kx) - least_distance(s));
        size_t line = slot * l->row_lines + column * l->samples;
        size_t tap = (block * s->kernel + ky) * s->kernel + kx;
        // Back and forth, so that most pairs have a part in common with the one before.
        for (size_t i = 0; i < s->parts; i++) {
          for (size_t k = 0; i + k < s->parts; k++) {
            size_t j = i % 2 == 0 ? s->parts - 1 - i - k : k;
            size_t a = (i * blocks + block) * block_bytes + line * LINE;
            steps[count++] = (tile_step){.a = (uint32_t)a,
                                         .b = (uint32_t)((tap * s->parts + j) * PAIR_BYTES)};
          }
        }
      }
    }
  }
  return count;
}

INLINE void store_gradients_body(const float *c, const tile_destination *to) {
  for (size_t column = 0; column < at_most(to->columns, PAIR); column += LANES)
    for (size_t row = 0; row < PAIR; row++)
      if (to->rows[row])
        STORE(to->rows[row] + column, LOAD(c + row * PAIR + column, LANES), to->columns - column);
}

STATIC_VARIANTS(void, store_gradients, (const float *c, const tile_destination *to), (c, to))

void sltt_tile_input_gradient(const sltt_tile_shape *s, const float *output_gradient,
                              const uint16_t *rounded, size_t samples, size_t first_pair,
                              size_t last_pair, const void *packed, float *input_gradient,
                              void *scratch, size_t first, size_t last) {
  tile_layout l = layout_of(s, samples);
  tile_product *product = sltt_tiles_begin(s->engine, TILES_OF_BFLOAT16);
  tile_step *steps = scratch;
  uint8_t *lines = lines_behind(steps, steps_of(s));
  size_t width = quotients_of(s->width, s);
  tile_results results = {input_gradient, samples, s->height, s->width, s->inputs,
                          .stride = s->stride};
  float c[PAIR * PAIR];
  for (size_t at = first; at < last;) {
    tile_band b = next_band(&l, width, at, last);
    at += b.groups * b.rows;
    cut_band(s, &l, &b, output_gradient, rounded, samples, lines);
    size_t tiles = b.groups * tiles_in_row(&l, width);
    for (size_t pair = first_pair; pair < last_pair; pair++) {
      const uint8_t *columns =
          (const uint8_t *)packed + (pair - first_pair) * sltt_tile_transposed_bytes(s);
      for (size_t row = b.row * s->stride; row < (b.row + b.rows) * s->stride; row++) {
        if (row >= s->height) break;
        for (size_t rx = 0; rx < at_most(s->stride, s->width); rx++) {
          size_t count = list_steps(s, &l, &b, row / s->stride, row % s->stride, rx, steps);
          results.row = row;
          results.rest = rx;
          for (size_t tile = 0; tile < tiles; tile += 2) {
            tile_destination to =
                destination_of(&l, &b, width, tile, lines, &results, pair * PAIR);
            product(to.a, columns, steps, count, c);
            store_gradients(c, &to);
          }
        }
      }
    }
  }
  sltt_tiles_end(s->engine);
}
