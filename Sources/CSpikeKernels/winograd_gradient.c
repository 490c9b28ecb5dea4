#include "winograd.h"

// The other way round: where the output is A' ((G w G') . (B' x B)) A, the gradient of w is
// G' ((A gy A') . (B' x B)) G, summed over tiles.

// Of four pixels of the output's gradient, to six,
#define TRANSFORM_GRADIENT(g, to)                                \
  ({                                                             \
    vfloat p_ = g[0] + P2 * g[2], p1_ = P * (g[1] + P2 * g[3]);  \
    vfloat q_ = g[0] + Q2 * g[2], q1_ = Q * (g[1] + Q2 * g[3]);  \
    to[0] = g[0];                                                \
    to[1] = p_ + p1_;                                            \
    to[2] = p_ - p1_;                                            \
    to[3] = q_ + q1_;                                            \
    to[4] = q_ - q1_;                                            \
    to[5] = g[3];                                                \
  })

// and of six sums of products to three weights.
#define TRANSFORM_SUMS(m, to)                                                    \
  ({                                                                             \
    vfloat p_ = PN * (m[1] + m[2]), p1_ = PN * P * (m[1] - m[2]);                \
    vfloat q_ = QN * (m[3] + m[4]), q1_ = QN * Q * (m[3] - m[4]);                \
    to[0] = m[0] + p_ + q_;                                                      \
    to[1] = p1_ + q1_;                                                           \
    to[2] = P2 * p_ + Q2 * q_ + m[5];                                            \
  })

enum { TILES = SLTT_WINOGRAD_BLOCK };

INLINE size_t gradient_step(void) { return spread(TILES, GROUP); }

size_t sltt_winograd_gradient_count(void) { return POINTS * gradient_step(); }

INLINE void transform_gradient_lanes(const sltt_winograd_shape *s, const float *gradient,
                                     tile_place place, size_t c, float *to, _Bool inside,
                                     size_t lanes) {
  vfloat half[OUT][IN];
  for (size_t x = 0; x < OUT; x++) {
    vfloat g[OUT];
    for (size_t y = 0; y < OUT; y++) {
      _Bool is_there = inside || (place.y + y < s->height && place.x + x < s->width);
      size_t pixel = place.image + (place.y + y) * s->width + place.x + x;
      g[y] = is_there ? LOAD(gradient + pixel * s->outputs + c, lanes) : (vfloat)0;
    }
    TRANSFORM_GRADIENT(g, half[x]);
  }
  for (size_t y = 0; y < IN; y++) {
    vfloat g[OUT], row[IN];
    for (size_t x = 0; x < OUT; x++) g[x] = half[x][y];
    TRANSFORM_GRADIENT(g, row);
    for (size_t x = 0; x < IN; x++)
      memcpy(to + (y * IN + x) * gradient_step() + c % GROUP, &row[x], sizeof row[x]);
  }
}

INLINE void sltt_winograd_transform_gradient_body(const sltt_winograd_shape *s,
                                                  const float *output_gradient, size_t group,
                                                  size_t block, float *transformed, size_t first,
                                                  size_t last) {
  for (size_t tile = first; tile < last; tile++) {
    tile_place place = place_of(s, block + tile);
    float *to = transformed + tile * GROUP;
#define TRANSFORM(c, inside, lanes) \
  transform_gradient_lanes(s, output_gradient, place, c, to, inside, lanes)
    FOR_CHANNELS(group * GROUP, least(s->outputs, (group + 1) * GROUP), is_inside(s, place, 0, OUT),
                 TRANSFORM);
#undef TRANSFORM
  }
}

VARIANTS(void, sltt_winograd_transform_gradient,
         (const sltt_winograd_shape *s, const float *output_gradient, size_t group, size_t block,
          float *transformed, size_t first, size_t last),
         (s, output_gradient, group, block, transformed, first, last))

INLINE void sltt_winograd_add_products_body(const sltt_winograd_shape *s, const float *inputs,
                                            const float *gradients, size_t tiles, int adds,
                                            float *sums, size_t first, size_t last) {
  size_t row = input_depth(s, 0), step = spread(TILES, row);
  for (size_t i = first; i < last; i++)
    multiply(inputs + i % POINTS * step, 1, row, s->inputs, tiles,
             gradients + i * gradient_step(), sums + i * weight_step(s), adds);
}

VARIANTS(void, sltt_winograd_add_products,
         (const sltt_winograd_shape *s, const float *inputs, const float *gradients, size_t tiles,
          int adds, float *sums, size_t first, size_t last),
         (s, inputs, gradients, tiles, adds, sums, first, last))

INLINE void sltt_winograd_weight_gradient_body(const sltt_winograd_shape *s, const float *sums,
                                               size_t group, float *weight_gradient,
                                               size_t first, size_t last) {
  for (size_t k = first; k < last; k++) {
    for (size_t c = group * GROUP; c < least((group + 1) * GROUP, s->outputs); c += LANES) {
      const float *from = sums + k * GROUP + c % GROUP;
      vfloat half[IN][3];
      for (size_t x = 0; x < IN; x++) {
        vfloat m[IN];
        for (size_t y = 0; y < IN; y++)
          memcpy(&m[y], from + (y * IN + x) * weight_step(s), sizeof m[y]);
        TRANSFORM_SUMS(m, half[x]);
      }
      for (size_t y = 0; y < 3; y++) {
        vfloat m[IN], row[3];
        for (size_t x = 0; x < IN; x++) m[x] = half[x][y];
        TRANSFORM_SUMS(m, row);
        for (size_t x = 0; x < 3; x++) {
          float *to = weight_gradient + ((y * 3 + x) * s->inputs + k) * s->outputs + c;
          STORE(to, row[x] + LOAD(to, s->outputs - c), s->outputs - c);
        }
      }
    }
  }
}

VARIANTS(void, sltt_winograd_weight_gradient,
         (const sltt_winograd_shape *s, const float *sums, size_t group, float *weight_gradient,
          size_t first, size_t last),
         (s, sums, group, weight_gradient, first, last))
