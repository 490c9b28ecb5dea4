#include "winograd.h"

#include "transpose.h"

size_t sltt_winograd_tiles(const sltt_winograd_shape *s, size_t samples) {
  return samples * ((s->height + OUT - 1) / OUT) * ((s->width + OUT - 1) / OUT);
}

size_t sltt_winograd_groups(const sltt_winograd_shape *s) { return (s->outputs + GROUP - 1) / GROUP; }

size_t sltt_winograd_weight_count(const sltt_winograd_shape *s) { return POINTS * weight_step(s); }

size_t sltt_winograd_input_count(const sltt_winograd_shape *s, size_t tiles, int few) {
  size_t depth = input_depth(s, few), slices = (padded(s->inputs) + depth - 1) / depth;
  return slices * POINTS * spread(tiles, depth);
}

size_t sltt_winograd_product_count(size_t tiles) {
  return POINTS * least(tiles, PRODUCTS) * GROUP;
}

INLINE void sltt_winograd_transform_input_body(const sltt_winograd_shape *s, const float *input,
                                               size_t block, size_t tiles, int few,
                                               float *transformed, size_t first, size_t last) {
  for (size_t t = first; t < last; t++)
    transform_input(s, input, block, t, tiles, input_depth(s, few), transformed);
}

VARIANTS(void, sltt_winograd_transform_input,
         (const sltt_winograd_shape *s, const float *input, size_t block, size_t tiles, int few,
          float *transformed, size_t first, size_t last),
         (s, input, block, tiles, few, transformed, first, last))

// LANES inputs (rows) by LANES outputs (lanes) of the weights of one tap.
INLINE void load_block(const sltt_winograd_shape *s, const sltt_weights *weights, _Bool transposed,
                       size_t tap, size_t input, size_t output, vfloat rows[LANES]) {
  size_t down = transposed ? s->outputs : s->inputs, y = transposed ? output : input;
  size_t across = transposed ? s->inputs : s->outputs, x = transposed ? input : output;
  size_t first = (transposed ? 8 - tap : tap) * down + y;
  // Rows lie too far apart for the processor to foresee that those of the next inputs follow.
  for (size_t i = 0; i < LANES; i++)
    __builtin_prefetch(weights->values + (first + i) * across + x +
                       (transposed ? LANES : LANES * across));
  for (size_t i = 0; i < LANES; i++)
    rows[i] = y + i < down && x < across ? LOAD_WEIGHTS(weights, first + i, across, x, across - x)
                                         : (vfloat)0;
  if (transposed) TRANSPOSE(rows);
}

// The weights of inputs first ..< last, at all points, `step` floats apart.
INLINE void transform_weights(const sltt_winograd_shape *s, const sltt_weights *weights,
                              int transposed, size_t group, float *transformed, size_t step,
                              size_t first, size_t last) {
  for (size_t c = 0; c < GROUP; c += LANES) {
    for (size_t k = first; k < last; k += LANES) {
      vfloat block[9][LANES];
      for (size_t tap = 0; tap < 9; tap++)
        load_block(s, weights, transposed, tap, k, group * GROUP + c, block[tap]);
      for (size_t i = 0; i < LANES; i++) {
        vfloat half[3][IN];
        for (size_t x = 0; x < 3; x++) {
          vfloat g[3] = {block[x][i], block[3 + x][i], block[6 + x][i]};
          TRANSFORM_WEIGHTS(g, half[x]);
        }
        float *to = transformed + (k - first + i) * GROUP + c;
        for (size_t y = 0; y < IN; y++) {
          vfloat g[3] = {half[0][y], half[1][y], half[2][y]}, row[IN];
          TRANSFORM_WEIGHTS(g, row);
          for (size_t x = 0; x < IN; x++) memcpy(to + (y * IN + x) * step, &row[x], sizeof row[x]);
        }
      }
    }
  }
}

INLINE void sltt_winograd_transform_weights_body(const sltt_winograd_shape *s,
                                                 const sltt_weights *weights, int transposed,
                                                 size_t group, float *transformed, size_t first,
                                                 size_t last) {
  transform_weights(s, weights, transposed, group, transformed + first * LANES * GROUP,
                    weight_step(s), first * LANES, least(last * LANES, s->inputs));
}

VARIANTS(void, sltt_winograd_transform_weights,
         (const sltt_winograd_shape *s, const sltt_weights *weights, int transposed, size_t group,
          float *transformed, size_t first, size_t last),
         (s, weights, transposed, group, transformed, first, last))

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

INLINE void sltt_winograd_multiply_body(const sltt_winograd_shape *shape, const float *inputs,
                                        size_t block, size_t tiles, const float *weights,
                                        size_t group, const float *bias, int accumulates,
                                        float *output, float *products, size_t first, size_t last) {
  const sltt_winograd_shape s = *shape;
  size_t row = input_depth(&s, 0), step = spread(tiles, row);
  for (size_t part = first; part < last; part += PRODUCTS) {
    size_t count = least(last - part, PRODUCTS);
    for (size_t point = 0; point < POINTS; point++)
      multiply(inputs + point * step + part * row, row, 1, count, s.inputs,
               weights + point * weight_step(&s), products + point * count * GROUP, 0);
    for (size_t t = 0; t < count; t++)
      transform_output(&s, products + t * GROUP, count * GROUP, bias, accumulates, output,
                       block + part + t, group);
  }
}

VARIANTS(void, sltt_winograd_multiply,
         (const sltt_winograd_shape *shape, const float *inputs, size_t block, size_t tiles,
          const float *weights, size_t group, const float *bias, int accumulates, float *output,
          float *products, size_t first, size_t last),
         (shape, inputs, block, tiles, weights, group, bias, accumulates, output, products, first,
          last))

size_t sltt_winograd_few_count(size_t tiles) {
  return POINTS * (spread(SLICE, GROUP) + spread(tiles, GROUP));
}

INLINE void sltt_winograd_convolve_few_body(const sltt_winograd_shape *shape, const float *inputs,
                                            size_t tiles, const sltt_weights *weights,
                                            int transposed, size_t group, const float *bias,
                                            int accumulates, float *output, float *room,
                                            size_t first, size_t last) {
  const sltt_winograd_shape s = *shape;
  size_t row = input_depth(&s, 1), step = spread(tiles, row), count = last - first;
  size_t slice_step = spread(SLICE, GROUP), product_step = spread(count, GROUP);
  float *slice = room, *products = room + POINTS * slice_step;
  for (size_t k = 0; k < s.inputs; k += SLICE) {
    size_t depth = least(SLICE, s.inputs - k);
    const float *from = inputs + k / SLICE * POINTS * step + first * row;
    transform_weights(&s, weights, transposed, group, slice, slice_step, k, k + depth);
    for (size_t point = 0; point < POINTS; point++)
      multiply(from + point * step, row, 1, count, depth,
               slice + point * slice_step, products + point * product_step, k > 0);
  }
  for (size_t t = 0; t < count; t++)
    transform_output(&s, products + t * GROUP, product_step, bias, accumulates, output, first + t,
                     group);
}

VARIANTS(void, sltt_winograd_convolve_few,
         (const sltt_winograd_shape *shape, const float *inputs, size_t tiles,
          const sltt_weights *weights, int transposed, size_t group, const float *bias,
          int accumulates, float *output, float *room, size_t first, size_t last),
         (shape, inputs, tiles, weights, transposed, group, bias, accumulates, output, room, first,
          last))
