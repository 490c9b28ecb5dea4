#include "winograd.h"

#include "transpose.h"

enum { TILES = 30 };  // whose inputs and products at all points stay in the cache

size_t sltt_winograd_tiles(const sltt_winograd_shape *s, size_t samples) {
  return samples * ((s->height + OUT - 1) / OUT) * ((s->width + OUT - 1) / OUT);
}

size_t sltt_winograd_groups(const sltt_winograd_shape *s) { return (s->outputs + GROUP - 1) / GROUP; }

size_t sltt_winograd_weight_count(const sltt_winograd_shape *s) { return POINTS * weight_step(s); }

size_t sltt_winograd_scratch_count(const sltt_winograd_shape *s) {
  return POINTS * (spread(TILES, padded(s->inputs)) + TILES * GROUP);
}

// LANES inputs (rows) by LANES outputs (lanes) of the weights of one tap.
INLINE void load_block(const sltt_winograd_shape *s, const float *weights, _Bool transposed, size_t tap,
                       size_t input, size_t output, vfloat rows[LANES]) {
  size_t down = transposed ? s->outputs : s->inputs, y = transposed ? output : input;
  size_t across = transposed ? s->inputs : s->outputs, x = transposed ? input : output;
  const float *from = weights + ((transposed ? 8 - tap : tap) * down + y) * across + x;
  // Rows lie too far apart for the processor to foresee that those of the next inputs follow.
  for (size_t i = 0; i < LANES; i++)
    __builtin_prefetch(from + i * across + (transposed ? LANES : LANES * across));
  for (size_t i = 0; i < LANES; i++)
    rows[i] = y + i < down && x < across ? LOAD(from + i * across, across - x) : (vfloat)0;
  if (transposed) TRANSPOSE(rows);
}

INLINE void sltt_winograd_transform_weights_body(const sltt_winograd_shape *s, const float *weights,
                                                 int transposed, size_t first_group,
                                                 size_t last_group, float *transformed, size_t first,
                                                 size_t last) {
  size_t step = weight_step(s);
  for (size_t c = first_group * GROUP; c < last_group * GROUP; c += LANES) {
    size_t group = c / GROUP - first_group;
    for (size_t k = first * LANES; k < s->inputs && k < last * LANES; k += LANES) {
      vfloat block[9][LANES];
      for (size_t tap = 0; tap < 9; tap++) load_block(s, weights, transposed, tap, k, c, block[tap]);
      for (size_t i = 0; i < LANES; i++) {
        vfloat half[3][IN];
        for (size_t x = 0; x < 3; x++) {
          vfloat g[3] = {block[x][i], block[3 + x][i], block[6 + x][i]};
          TRANSFORM_WEIGHTS(g, half[x]);
        }
        float *to = transformed + group * POINTS * step + (k + i) * GROUP + c % GROUP;
        for (size_t y = 0; y < IN; y++) {
          vfloat g[3] = {half[0][y], half[1][y], half[2][y]}, row[IN];
          TRANSFORM_WEIGHTS(g, row);
          for (size_t x = 0; x < IN; x++) memcpy(to + (y * IN + x) * step, &row[x], sizeof row[x]);
        }
      }
    }
  }
}

VARIANTS(void, sltt_winograd_transform_weights,
         (const sltt_winograd_shape *s, const float *weights, int transposed, size_t first_group,
          size_t last_group, float *transformed, size_t first, size_t last),
         (s, weights, transposed, first_group, last_group, transformed, first, last))

// The pixels of a tile, of its products at all points, `step` floats apart.
INLINE void transform_output_lanes(const sltt_winograd_shape *s, const float *from, size_t step,
                                   const float *bias, int accumulates, float *output,
                                   tile_place place, size_t c, _Bool inside, size_t lanes) {
  vfloat half[IN][OUT];
  for (size_t x = 0; x < IN; x++) {
    vfloat m[IN];
    for (size_t y = 0; y < IN; y++)
      memcpy(&m[y], from + (y * IN + x) * step + c % GROUP, sizeof m[y]);
    TRANSFORM_OUTPUT(m, half[x]);
  }
  vfloat start = bias ? LOAD(bias + c, lanes) : (vfloat)0;
  for (size_t y = 0; y < OUT && (inside || place.y + y < s->height); y++) {
    vfloat m[IN], row[OUT];
    for (size_t x = 0; x < IN; x++) m[x] = half[x][y];
    TRANSFORM_OUTPUT(m, row);
    for (size_t x = 0; x < OUT && (inside || place.x + x < s->width); x++) {
      float *to = output + (place.image + (place.y + y) * s->width + place.x + x) * s->outputs + c;
      vfloat value = row[x] + start;
      if (accumulates) value += LOAD(to, lanes);
      STORE(to, value, lanes);
    }
  }
}

INLINE void transform_output(const sltt_winograd_shape *s, const float *from, size_t step,
                             const float *bias, int accumulates, float *output, size_t tile,
                             size_t group) {
  tile_place place = place_of(s, tile);
#define TRANSFORM(c, inside, lanes) \
  transform_output_lanes(s, from, step, bias, accumulates, output, place, c, inside, lanes)
  FOR_CHANNELS(group * GROUP, least(s->outputs, (group + 1) * GROUP), is_inside(s, place, 0, OUT),
               TRANSFORM);
#undef TRANSFORM
}

INLINE void sltt_winograd_convolve_body(const sltt_winograd_shape *shape, const float *input,
                                        const float *transformed, size_t first_group,
                                        size_t last_group, const float *bias, int accumulates,
                                        float *output, float *scratch, size_t first, size_t last) {
  const sltt_winograd_shape s = *shape;
  size_t inputs = padded(s.inputs), step = spread(TILES, inputs);
  float *left = scratch, *product = left + POINTS * step;
  for (size_t tile = first; tile < last; tile += TILES) {
    size_t tiles = least(last - tile, TILES);
    for (size_t t = 0; t < tiles; t++)
      transform_input(&s, input, tile + t, left + t * inputs, step);
    for (size_t group = first_group; group < last_group; group++) {
      const float *right = transformed + (group - first_group) * POINTS * weight_step(&s);
      for (size_t point = 0; point < POINTS; point++)
        multiply(left + point * step, inputs, 1, tiles, s.inputs, right + point * weight_step(&s),
                 product + point * TILES * GROUP, 0);
      for (size_t t = 0; t < tiles; t++)
        transform_output(&s, product + t * GROUP, TILES * GROUP, bias, accumulates, output, tile + t,
                         group);
    }
  }
}

VARIANTS(void, sltt_winograd_convolve,
         (const sltt_winograd_shape *shape, const float *input, const float *transformed,
          size_t first_group, size_t last_group, const float *bias, int accumulates, float *output,
          float *scratch, size_t first, size_t last),
         (shape, input, transformed, first_group, last_group, bias, accumulates, output, scratch,
          first, last))
