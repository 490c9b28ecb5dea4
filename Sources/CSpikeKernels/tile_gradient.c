#include "bits.h"
#include "tiles.h"

// Lines of 64 pixels of the output in a band.
enum { BAND_LINES = 16 };

// The weights' gradient is the product of the spikes under a tap, channel by channel, with the
// output's gradient: a row of a tile is 64 pixels of an input channel. Pixels are those of an
// output's row, of some samples side by side.
typedef struct {
  size_t samples;                // side by side
  size_t groups;                 // of so many samples
  size_t row_lines;              // lines of an output's row
  size_t band_groups, band_rows; // of a band, at most
  size_t group_bands;            // bands of a group, if it is more than one
  size_t bands;
} layout;

INLINE layout layout_of(const sltt_tile_shape *s, size_t samples) {
  layout l = {.samples = side_by_side(s->output_width, samples, LINE)};
  l.groups = divided_up(samples, l.samples);
  l.row_lines = divided_up(s->output_width * l.samples, LINE);
  size_t image = s->output_height * l.row_lines;
  l.band_groups = at_most(at_least(BAND_LINES / image, 1), l.groups);
  size_t rows = at_least(BAND_LINES / l.row_lines, 1);
  l.group_bands = divided_up(s->output_height, rows);
  l.band_rows = divided_up(s->output_height, l.group_bands);
  l.bands = divided_up(l.groups, l.band_groups) * l.group_bands;
  return l;
}

INLINE tile_band band_at(const sltt_tile_shape *s, const layout *l, size_t index) {
  size_t group = index / l->group_bands * l->band_groups;
  size_t row = index % l->group_bands * l->band_rows;
  return (tile_band){group, at_most(l->band_groups, l->groups - group), row,
                at_most(l->band_rows, s->output_height - row)};
}

// What is prepared of a band: the gradient's tiles for each pair of columns and each part, each
// output channel's unit, its sum over the band, and the spikes in words of 64 pixels: of each block
// of input channels, of each group, row of the input, column of the window, line, and channel.
typedef struct {
  size_t lines;                  // of the output, at most
  size_t part_bytes, tile_bytes; // of a part; of all tiles
  size_t unit_bytes;             // of the units, and of the sums
  size_t block_words;            // of spikes
  size_t bytes;
} prepared_sizes;

INLINE prepared_sizes sizes_of(const sltt_tile_shape *s, const layout *l) {
  prepared_sizes z = {.lines = l->band_groups * l->band_rows * l->row_lines};
  z.part_bytes = z.lines * PAIR_BYTES;
  z.tile_bytes = tile_pairs(s->outputs) * s->parts * z.part_bytes;
  z.unit_bytes = tile_pairs(s->outputs) * PAIR * sizeof(float);
  z.block_words = l->band_groups * slots_of(s, l->band_rows) * s->kernel * l->row_lines * LINE;
  z.bytes = z.tile_bytes + 2 * z.unit_bytes +
            words_of(s->inputs) * z.block_words * sizeof(uint64_t);
  return z;
}

size_t sltt_tile_bands(const sltt_tile_shape *s, size_t samples) {
  return layout_of(s, samples).bands;
}

size_t sltt_tile_prepared_bytes(const sltt_tile_shape *s, size_t samples, size_t bands) {
  layout l = layout_of(s, samples);
  return bands * sizes_of(s, &l).bytes;
}

// The blocks of 64 output channels, whose gradients become tiles, and those of 64 input channels,
// whose spikes are turned around.
size_t sltt_tile_preparations(const sltt_tile_shape *s) {
  return words_of(s->outputs) + words_of(s->inputs);
}

// For each line of a band: its number, its group, the output's row, and its number in the row.
#define FOR_LINES(l, b)                                                                  \
  for (size_t line = 0, group = (b)->group; group < (b)->group + (b)->groups; group++)   \
    for (size_t row = (b)->row; row < (b)->row + (b)->rows; row++)                       \
      for (size_t in_row = 0; in_row < (l)->row_lines; in_row++, line++)

// The gradient at a pixel of a line; NULL where there is none.
INLINE const float *pixel_of(const sltt_tile_shape *s, const layout *l, const float *gradient,
                             size_t samples, size_t group, size_t row, size_t pixel) {
  size_t sample = group * l->samples + pixel / s->output_width;
  if (pixel >= l->samples * s->output_width || sample >= samples) return NULL;
  size_t index = (sample * s->output_height + row) * s->output_width + pixel % s->output_width;
  return gradient + index * s->outputs;
}

enum { COLUMNS = LINE / LANES };   // of 16 output channels, prepared together

INLINE void prepare_gradient_body(const sltt_tile_shape *s, const layout *l, const tile_band *b,
                                  const float *gradient, size_t samples, size_t block, char *to) {
  prepared_sizes z = sizes_of(s, l);
  size_t from = block * LINE, columns = at_most(divided_up(s->outputs - from, LANES), COLUMNS);
  vuint largest[COLUMNS] = {0};
  vfloat sums[COLUMNS] = {0};
  FOR_LINES(l, b) {
    for (size_t i = 0; i < LINE; i++) {
      const float *g = pixel_of(s, l, gradient, samples, group, row, in_row * LINE + i);
      if (!g) break;
      for (size_t column = 0; column < columns; column++) {
        size_t c = from + column * LANES;
        vfloat value = LOAD(g + c, s->outputs - c);
        largest[column] = __builtin_elementwise_max(largest[column], (vuint)value & 0x7fffffff);
        sums[column] += value;
      }
    }
  }
  float *units = (float *)(to + z.tile_bytes);
  vfloat to_fixed[COLUMNS];
  for (size_t column = 0; column < columns; column++) {
    for (size_t i = 0; i < LANES; i++) {
      fixed_point unit = fixed_point_of(largest[column][i], s->parts);
      to_fixed[column][i] = unit.to_fixed;
      units[from + column * LANES + i] = unit.to_real;
    }
    STORE(units + z.unit_bytes / sizeof(float) + from + column * LANES, sums[column], LANES);
  }
  FOR_LINES(l, b) {
    for (size_t k = 0; k < LINE / 4; k++) {
      const float *g[4];
      for (size_t i = 0; i < 4; i++)
        g[i] = pixel_of(s, l, gradient, samples, group, row, in_row * LINE + 4 * k + i);
      for (size_t column = 0; column < columns; column++) {
        size_t c = from + column * LANES;
        vint numbers[4] = {0};
        for (size_t i = 0; i < 4; i++)
          if (g[i]) numbers[i] = FIXED(LOAD(g[i] + c, s->outputs - c), to_fixed[column]);
        char *tile = to + c / PAIR * s->parts * z.part_bytes + line * PAIR_BYTES +
                     c / LANES % 2 * TILE_BYTES;
        STORE_PARTS(tile + k * LINE, numbers, s->parts, z.part_bytes)
      }
    }
  }
}

STATIC_VARIANTS(void, prepare_gradient,
                (const sltt_tile_shape *s, const layout *l, const tile_band *b, const float *gradient,
                 size_t samples, size_t block, char *to),
                (s, l, b, gradient, samples, block, to))

// Where the words of a line of spikes are, of a group and a slot of a band, under a column of the
// window.
INLINE size_t spike_words(const sltt_tile_shape *s, const layout *l, const tile_band *b, size_t group,
                          size_t slot, size_t kx, size_t in_row) {
  size_t row = (group * slots_of(s, b->rows) + slot) * s->kernel + kx;
  return (row * l->row_lines + in_row) * LINE;
}

INLINE void prepare_spikes_body(const sltt_tile_shape *s, const layout *l, const tile_band *b,
                                const uint64_t *spikes, size_t samples, size_t block,
                                uint64_t *to) {
  size_t words = words_of(s->inputs), phases = phases_of(s);
  for (size_t g = 0; g < b->groups; g++) {
    for (size_t slot = 0; slot < slots_of(s, b->rows); slot++) {
      size_t y = input_of(s, b->row + slot / phases, slot % phases);
      if (y >= s->height) continue;
      for (size_t kx = 0; kx < s->kernel; kx++) {
        for (size_t in_row = 0; in_row < l->row_lines; in_row++) {
          uint64_t pixels[LINE];
          for (size_t i = 0; i < LINE; i++) {
            size_t pixel = in_row * LINE + i;
            size_t sample = (b->group + g) * l->samples + pixel / s->output_width;
            size_t x = input_of(s, pixel % s->output_width, kx);
            int is_inside = pixel < l->samples * s->output_width && sample < samples &&
                            x < s->width;
            size_t index = (sample * s->height + y) * s->width + x;
            pixels[i] = is_inside ? spikes[index * words + block] : 0;
          }
          transpose_bits(pixels, to + spike_words(s, l, b, g, slot, kx, in_row), 1);
        }
      }
    }
  }
}

STATIC_VARIANTS(void, prepare_spikes,
                (const sltt_tile_shape *s, const layout *l, const tile_band *b, const uint64_t *spikes,
                 size_t samples, size_t block, uint64_t *to),
                (s, l, b, spikes, samples, block, to))

INLINE uint64_t *spikes_of(const prepared_sizes *z, const void *prepared, size_t block) {
  char *spikes = (char *)prepared + z->tile_bytes + 2 * z->unit_bytes;
  return (uint64_t *)spikes + block * z->block_words;
}

void sltt_tile_prepare(const sltt_tile_shape *s, const uint64_t *spikes,
                       const float *output_gradient, size_t samples, size_t first_band,
                       size_t bands, void *prepared, size_t first, size_t last) {
  layout l = layout_of(s, samples);
  prepared_sizes z = sizes_of(s, &l);
  size_t outputs = words_of(s->outputs);
  for (size_t part = first; part < last; part++) {
    size_t index = part % bands, block = part / bands;
    tile_band b = band_at(s, &l, first_band + index);
    char *to = (char *)prepared + index * z.bytes;
    if (block < outputs)
      prepare_gradient(s, &l, &b, output_gradient, samples, block, to);
    else
      prepare_spikes(s, &l, &b, spikes, samples, block - outputs,
                     spikes_of(&z, to, block - outputs));
  }
}

// In the order of pairs of columns of 16 input channels, columns of the window, pairs of columns of
// 16 output channels, and rows of the window.
size_t sltt_tile_gradient_blocks(const sltt_tile_shape *s) {
  return tile_pairs(s->inputs) * tile_pairs(s->outputs) * s->kernel * s->kernel;
}

INLINE size_t unpacked_bytes(const sltt_tile_shape *s, const layout *l) {
  return l->band_groups * slots_of(s, l->band_rows) * l->row_lines * PAIR_BYTES;
}

size_t sltt_tile_gradient_scratch_bytes(const sltt_tile_shape *s, size_t samples) {
  layout l = layout_of(s, samples);
  return scratch_bytes(sizes_of(s, &l).lines, unpacked_bytes(s, &l));
}

// Makes tiles of 32 input channels' spikes under a column of the window, at all rows of the band.
INLINE void unpack_spikes_body(const sltt_tile_shape *s, const layout *l, const tile_band *b,
                               const uint64_t *spikes, size_t kx, size_t channel, uint8_t *to) {
  for (size_t g = 0; g < b->groups; g++) {
    for (size_t slot = 0; slot < slots_of(s, b->rows); slot++) {
      for (size_t in_row = 0; in_row < l->row_lines; in_row++) {
        const uint64_t *from = spikes + spike_words(s, l, b, g, slot, kx, in_row) + channel;
        for (size_t c = 0; c < PAIR; c++, to += LINE) UNPACK_BITS(to, from[c]);
      }
    }
  }
}

STATIC_VARIANTS(void, unpack_spikes,
                (const sltt_tile_shape *s, const layout *l, const tile_band *b, const uint64_t *spikes,
                 size_t kx, size_t channel, uint8_t *to),
                (s, l, b, spikes, kx, channel, to))

// Lists the lines of a band under a row of the window that are not above or below the image.
static size_t list_steps(const sltt_tile_shape *s, const layout *l, const tile_band *b, size_t ky,
                         tile_step *steps) {
  size_t count = 0;
  FOR_LINES(l, b) {
    if (input_of(s, row, ky) < s->height) {
      size_t slot = (row - b->row) * phases_of(s) + slot_of(s, ky);
      size_t from = ((group - b->group) * slots_of(s, b->rows) + slot) * l->row_lines + in_row;
      steps[count++] =
          (tile_step){.a = (uint32_t)(from * PAIR_BYTES), .b = (uint32_t)(line * PAIR_BYTES)};
    }
  }
  return count;
}

INLINE void add_product_body(const sltt_tile_shape *s, const part_sums c, const float *units,
                             float amplitude, float *to, size_t rows, size_t columns) {
  for (size_t column = 0; column < at_most(columns, PAIR); column += LANES) {
    size_t lanes = columns - column;
    vfloat factor = amplitude * LOAD(units + column, LANES);
    for (size_t row = 0; row < at_most(rows, PAIR); row++) {
      float *place = to + row * s->outputs + column;
      vfloat value = LOAD(place, lanes) + factor * COMBINED(c, s->parts, row * PAIR + column);
      STORE(place, value, lanes);
    }
  }
}

STATIC_VARIANTS(void, add_product,
                (const sltt_tile_shape *s, const part_sums c, const float *units, float amplitude,
                 float *to, size_t rows, size_t columns),
                (s, c, units, amplitude, to, rows, columns))

void sltt_tile_weight_gradient(const sltt_tile_shape *s, size_t samples, size_t first_band,
                               size_t bands, const void *prepared, float amplitude,
                               float *gradient, float *bias_gradient, void *scratch, size_t first,
                               size_t last) {
  layout l = layout_of(s, samples);
  prepared_sizes z = sizes_of(s, &l);
  tile_product *product = sltt_tiles_begin(s->engine, TILES_OF_SPIKES);
  tile_step *steps = scratch;
  uint8_t *tiles = lines_behind(steps, z.lines);
  size_t pairs = tile_pairs(s->outputs);
  part_sums c;
  for (size_t index = 0; index < bands; index++) {
    tile_band b = band_at(s, &l, first_band + index);
    const char *from = (const char *)prepared + index * z.bytes;
    const float *units = (const float *)(from + z.tile_bytes);
    size_t unpacked = SIZE_MAX;
    for (size_t block = first; block < last; block++) {
      size_t ky = block % s->kernel, pair = block / s->kernel % pairs;
      size_t input = block / s->kernel / pairs, kx = input % s->kernel;
      size_t channel = input / s->kernel * PAIR, output = pair * PAIR;
      if (input != unpacked) {
        const uint64_t *spikes = spikes_of(&z, from, channel / LINE);
        unpack_spikes(s, &l, &b, spikes, kx, channel % LINE, tiles);
        unpacked = input;
      }
      const uint8_t *a[2] = {tiles, tiles + TILE_BYTES};
      const uint8_t *columns = (const uint8_t *)from + pair * s->parts * z.part_bytes;
      size_t count = list_steps(s, &l, &b, ky, steps);
      float *to = gradient + ((ky * s->kernel + kx) * s->inputs + channel) * s->outputs + output;
      for (size_t part = 0; part < s->parts; part++)
        product(a, columns + part * z.part_bytes, steps, count, c[part]);
      add_product(s, c, units + output, amplitude, to, s->inputs - channel,
                  s->outputs - output);
      if (block < pairs * s->kernel && ky == 0 && bias_gradient)
        for (size_t i = output; i < at_most(s->outputs, output + PAIR); i++)
          bias_gradient[i] += units[z.unit_bytes / sizeof(float) + i];
    }
  }
  sltt_tiles_end(s->engine);
}
