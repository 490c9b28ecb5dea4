#include "bits.h"
#include "tiles.h"

INLINE tile_layout layout_of(const sltt_tile_shape *s, size_t samples) {
  size_t together = side_by_side(s->output_width, samples, TILE_ROWS);
  size_t phases = phases_of(s), pitch = s->output_width + reach_of(s);
  return (tile_layout){.samples = together,
                       .groups = divided_up(samples, together),
                       .rows = s->output_height,
                       .phases = phases,
                       .reach = reach_of(s),
                       .pitch = pitch,
                       .row_lines = phases * pitch * together,
                       .blocks = words_of(s->inputs)};
}

// Of a product.
INLINE size_t steps_of(const sltt_tile_shape *s) {
  return words_of(s->inputs) * s->kernel * s->kernel;
}

size_t sltt_tile_columns(const sltt_tile_shape *s) { return 2 * tile_pairs(s->outputs); }

// For each pair of columns and each part, the tiles of all blocks of input channels and all taps;
// then each output channel's unit.
size_t sltt_tile_packed_bytes(const sltt_tile_shape *s) {
  size_t units = tile_pairs(s->outputs) * PAIR * sizeof(float);
  return tile_pairs(s->outputs) * s->parts * steps_of(s) * PAIR_BYTES + units;
}

INLINE float *units_of(const sltt_tile_shape *s, const void *packed) {
  return (float *)((char *)packed + sltt_tile_packed_bytes(s)) - tile_pairs(s->outputs) * PAIR;
}

INLINE void sltt_tile_pack_body(const sltt_tile_shape *s, const sltt_weights *weights, void *packed,
                                size_t first, size_t last) {
  size_t taps = s->kernel * s->kernel, blocks = words_of(s->inputs);
  for (size_t column = first; column < last; column++) {
    size_t from = column * LANES, part_bytes = steps_of(s) * PAIR_BYTES;
    size_t lanes = from < s->outputs ? s->outputs - from : 0;
    int8_t *to = (int8_t *)packed + column / 2 * s->parts * part_bytes + column % 2 * TILE_BYTES;
    vuint largest = 0;
    for (size_t row = 0; row < taps * s->inputs; row++) {
      vuint bits = (vuint)LOAD_WEIGHTS(weights, row, s->outputs, from, lanes) & 0x7fffffff;
      largest = __builtin_elementwise_max(largest, bits);
    }
    vfloat to_fixed, to_real;
    for (size_t i = 0; i < LANES; i++) {
      fixed_point unit = fixed_point_of(largest[i], s->parts);
      to_fixed[i] = unit.to_fixed;
      to_real[i] = unit.to_real;
    }
    STORE(units_of(s, packed) + from, to_real, LANES);
    for (size_t block = 0; block < blocks; block++) {
      for (size_t tap = 0; tap < taps; tap++, to += PAIR_BYTES) {
        for (size_t k = 0; k < LINE / 4; k++) {
          vint numbers[4] = {0};
          for (size_t i = 0; i < 4; i++) {
            size_t c = block * LINE + 4 * k + i;
            if (c >= s->inputs) break;
            vfloat value = LOAD_WEIGHTS(weights, tap * s->inputs + c, s->outputs, from, lanes);
            numbers[i] = FIXED(value, to_fixed);
          }
          STORE_PARTS(to + k * LINE, numbers, s->parts, part_bytes)
        }
      }
    }
  }
}

VARIANTS(void, sltt_tile_pack,
         (const sltt_tile_shape *s, const sltt_weights *weights, void *packed, size_t first,
          size_t last),
         (s, weights, packed, first, last))

size_t sltt_tile_rows(const sltt_tile_shape *s, size_t samples) {
  return layout_of(s, samples).groups * s->output_height;
}

size_t sltt_tile_forward_scratch_bytes(const sltt_tile_shape *s, size_t samples) {
  tile_layout l = layout_of(s, samples);
  return scratch_bytes(steps_of(s), most_band_bytes(&l, s->output_width));
}

// Unpacks the spikes under a band. Lines in the padding beside an image are 0; those above and below
// it are never read.
INLINE void unpack_band_body(const sltt_tile_shape *s, const tile_layout *l, const tile_band *b,
                             const uint64_t *spikes, size_t samples, uint8_t *to) {
  size_t phases = phases_of(s), step = block_lines(l, b) * LINE;
  size_t lines = band_lines(l, b->rows);
  for (size_t g = 0; g < b->groups; g++) {
    for (size_t i = 0; i < l->samples; i++) {
      size_t sample = (b->group + g) * l->samples + i;
      if (sample >= samples) break;
      const uint64_t *image = spikes + sample * s->height * s->width * l->blocks;
      for (size_t slot = 0; slot < slots_of(s, b->rows); slot++) {
        size_t y = input_of(s, b->row + slot / phases, slot % phases);
        if (y >= s->height) continue;
        uint8_t *row = to + (g * lines + slot * l->row_lines + i) * LINE;
        for (size_t phase = 0; phase < phases; phase++) {
          for (size_t column = 0; column < l->pitch; column++, row += l->samples * LINE) {
            size_t x = input_of(s, column, phase);
            for (size_t block = 0; block < l->blocks; block++) {
              size_t index = (y * s->width + x) * l->blocks + block;
              uint64_t word = x < s->width ? image[index] : 0;
              UNPACK_BITS(row + block * step, word);
            }
          }
        }
      }
    }
  }
}

STATIC_VARIANTS(void, unpack_band,
                (const sltt_tile_shape *s, const tile_layout *l, const tile_band *b,
                 const uint64_t *spikes, size_t samples, uint8_t *to),
                (s, l, b, spikes, samples, to))

INLINE void store_product_body(const part_sums c, size_t parts, const float *units,
                               const float *bias, float amplitude, int accumulates,
                               const tile_destination *to) {
  for (size_t column = 0; column < at_most(to->columns, PAIR); column += LANES) {
    size_t lanes = to->columns - column;
    vfloat factor = amplitude * LOAD(units + column, LANES), term = 0;
    if (bias) term = LOAD(bias + column, lanes);
    for (size_t row = 0; row < PAIR; row++) {
      float *place = to->rows[row];
      if (!place) continue;
      vfloat value = COMBINED(c, parts, row * PAIR + column) * factor + term;
      if (accumulates) value += LOAD(place + column, lanes);
      STORE(place + column, value, lanes);
    }
  }
}

STATIC_VARIANTS(void, store_product,
                (const part_sums c, size_t parts, const float *units, const float *bias,
                 float amplitude, int accumulates, const tile_destination *to),
                (c, parts, units, bias, amplitude, accumulates, to))

// Lists the tiles under an output's row: of all blocks and taps that are not above or below the
// image.
static size_t list_steps(const sltt_tile_shape *s, const tile_layout *l, const tile_band *b,
                         size_t row, tile_step *steps) {
  size_t count = 0, block_bytes = block_lines(l, b) * LINE, tile = 0;
  for (size_t block = 0; block < l->blocks; block++) {
    for (size_t ky = 0; ky < s->kernel; ky++) {
      int is_inside = input_of(s, row, ky) < s->height;
      for (size_t kx = 0; kx < s->kernel; kx++, tile++) {
        if (!is_inside) continue;
        size_t column = kx % s->stride * l->pitch + kx / s->stride;
        size_t line = slot_of(s, ky) * l->row_lines + column * l->samples;
        steps[count++] = (tile_step){.a = (uint32_t)(block * block_bytes + line * LINE),
                                     .b = (uint32_t)(tile * PAIR_BYTES)};
      }
    }
  }
  return count;
}

void sltt_tile_forward(const sltt_tile_shape *s, const uint64_t *spikes, size_t samples,
                       const void *packed, const float *bias, float amplitude, int accumulates,
                       float *output, void *scratch, size_t first, size_t last) {
  tile_layout l = layout_of(s, samples);
  tile_product *product = sltt_tiles_begin(s->engine, TILES_OF_SPIKES);
  tile_step *steps = scratch;
  uint8_t *lines = lines_behind(steps, steps_of(s));
  tile_results results = {output, samples, s->output_height, s->output_width, s->outputs,
                          .stride = 1};
  size_t part_bytes = steps_of(s) * PAIR_BYTES;
  part_sums c;
  for (size_t at = first; at < last;) {
    tile_band b = next_band(&l, s->output_width, at, last);
    at += b.groups * b.rows;
    unpack_band(s, &l, &b, spikes, samples, lines);
    size_t tiles = b.groups * tiles_in_row(&l, s->output_width);
    for (size_t pair = 0; pair < tile_pairs(s->outputs); pair++) {
      const uint8_t *columns = (const uint8_t *)packed + pair * s->parts * part_bytes;
      for (size_t row = b.row; row < b.row + b.rows; row++) {
        size_t count = list_steps(s, &l, &b, row, steps);
        const uint8_t *row_lines = lines + (row - b.row) * phases_of(s) * l.row_lines * LINE;
        results.row = row;
        for (size_t tile = 0; tile < tiles; tile += 2) {
          tile_destination to =
              destination_of(&l, &b, s->output_width, tile, row_lines, &results, pair * PAIR);
          for (size_t part = 0; part < s->parts; part++)
            product(to.a, columns + part * part_bytes, steps, count, c[part]);
          store_product(c, s->parts, units_of(s, packed) + pair * PAIR,
                        bias ? bias + pair * PAIR : NULL, amplitude, accumulates, &to);
        }
      }
    }
  }
  sltt_tiles_end(s->engine);
}
