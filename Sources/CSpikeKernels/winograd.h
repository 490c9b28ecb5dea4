// What the passes of Winograd's convolution share: F(4x4, 3x3) of Lavin and Gray (arXiv 1509.09308), with
// other points.
#pragma once

#include "spike_kernels.h"
#include "variants.h"

enum {
  OUT = 4,                    // pixels along an edge of a tile of the output
  IN = OUT + 2,               // and of the input that it depends on
  POINTS = IN * IN,
  GROUP = SLTT_WINOGRAD_GROUP,
  ROWS = SLTT_WINOGRAD_ROWS,
  PRODUCTS = SLTT_WINOGRAD_PRODUCTS,
  SLICE = 32,                 // inputs whose weights stay in the cache with the products of few tiles
};

// Polynomials are multiplied at 0, +-P, +-Q and infinity. As P Q = 1, numbers stay small: rounding errors
// are half of those with the usual +-1 and +-2, and twice those of a direct convolution.
#define P 0.70710678f
#define Q 1.41421356f
#define P2 0.5f
#define Q2 2.0f
// 1 / (2 P2 (P2 - Q2)) and 1 / (2 Q2 (Q2 - P2))
#define PN (-2.0f / 3)
#define QN (1.0f / 6)

// Along one dimension: of six pixels of the input,
#define TRANSFORM_INPUT(d, to)                                   \
  ({                                                             \
    vfloat p_ = d[4] - Q2 * d[2], p1_ = d[3] - Q2 * d[1];        \
    vfloat q_ = d[4] - P2 * d[2], q1_ = d[3] - P2 * d[1];        \
    to[0] = d[0] - (P2 + Q2) * d[2] + d[4];                      \
    to[1] = p_ + P * p1_;                                        \
    to[2] = p_ - P * p1_;                                        \
    to[3] = q_ + Q * q1_;                                        \
    to[4] = q_ - Q * q1_;                                        \
    to[5] = d[1] - (P2 + Q2) * d[3] + d[5];                      \
  })

// of three weights,
#define TRANSFORM_WEIGHTS(g, to)                                 \
  ({                                                             \
    vfloat p_ = PN * (g[0] + P2 * g[2]), p1_ = PN * P * g[1];    \
    vfloat q_ = QN * (g[0] + Q2 * g[2]), q1_ = QN * Q * g[1];    \
    to[0] = g[0];                                                \
    to[1] = p_ + p1_;                                            \
    to[2] = p_ - p1_;                                            \
    to[3] = q_ + q1_;                                            \
    to[4] = q_ - q1_;                                            \
    to[5] = g[2];                                                \
  })

// of six products to four pixels of the output.
#define TRANSFORM_OUTPUT(m, to)                                  \
  ({                                                             \
    vfloat p_ = m[1] + m[2], p1_ = P * (m[1] - m[2]);            \
    vfloat q_ = m[3] + m[4], q1_ = Q * (m[3] - m[4]);            \
    to[0] = m[0] + p_ + q_;                                      \
    to[1] = p1_ + q1_;                                           \
    to[2] = P2 * p_ + Q2 * q_;                                   \
    to[3] = P2 * p1_ + Q2 * q1_ + m[5];                          \
  })

INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }
INLINE size_t padded(size_t channels) { return (channels + LANES - 1) / LANES * LANES; }

// Floats from the matrix of one point to the next's: one line more than needed, as strides of powers of
// two would put all points on the same lines of the cache.
INLINE size_t spread(size_t rows, size_t columns) { return rows * columns + LANES; }
// Transformed inputs are [slices][POINTS][tiles][depth]: one slice of all inputs, or, in a convolution of
// few tiles, which goes through a slice at all points before the next one, those that it reads together.
INLINE size_t input_depth(const sltt_winograd_shape *s, _Bool few) {
  return few ? SLICE : padded(s->inputs);
}
INLINE size_t weight_step(const sltt_winograd_shape *s) { return spread(padded(s->inputs), GROUP); }

// Where a tile lies: its first pixel, and the first of its image.
typedef struct {
  size_t x, y, image;
} tile_place;

INLINE tile_place place_of(const sltt_winograd_shape *s, size_t tile) {
  size_t across = (s->width + OUT - 1) / OUT, down = (s->height + OUT - 1) / OUT;
  return (tile_place){tile % across * OUT, tile / across % down * OUT,
                      tile / across / down * s->height * s->width};
}

// Whether a tile of `size` pixels, the first of them `before` ahead of `place`, lies in the image.
INLINE _Bool is_inside(const sltt_winograd_shape *s, tile_place place, size_t before, size_t size) {
  return place.x >= before && place.y >= before && place.x - before + size <= s->width &&
         place.y - before + size <= s->height;
}

// Calls TRANSFORM(c, inside, lanes) for the channels first ..< last, with constants for all but the last
// channels and but the tiles at the border.
#define FOR_CHANNELS(first, last, is_inside, TRANSFORM)          \
  ({                                                             \
    size_t c_ = (first), end_ = (last);                          \
    _Bool inside_ = (is_inside);                                 \
    for (; c_ + LANES <= end_; c_ += LANES) {                    \
      if (inside_)                                               \
        TRANSFORM(c_, 1, LANES);                                 \
      else                                                       \
        TRANSFORM(c_, 0, LANES);                                 \
    }                                                            \
    if (c_ < end_) TRANSFORM(c_, 0, end_ - c_);                  \
  })

// The tile of the input with its border, at all points, `step` floats apart.
INLINE void transform_input_lanes(const sltt_winograd_shape *s, const float *input, tile_place place,
                                  size_t c, float *to, size_t step, _Bool inside, size_t lanes) {
  ptrdiff_t line = (ptrdiff_t)(s->width * s->inputs), pixel = (ptrdiff_t)s->inputs;
  const float *origin = input + (place.image + place.y * s->width + place.x) * s->inputs + c;
  vfloat half[IN][IN];
  for (size_t x = 0; x < IN; x++) {
    vfloat d[IN];
    for (size_t y = 0; y < IN; y++) {
      // Wraps around before the image.
      _Bool is_there = inside || (place.y + y - 1 < s->height && place.x + x - 1 < s->width);
      d[y] = is_there ? LOAD(origin + ((ptrdiff_t)y - 1) * line + ((ptrdiff_t)x - 1) * pixel, lanes)
                      : (vfloat)0;
    }
    TRANSFORM_INPUT(d, half[x]);
  }
  for (size_t y = 0; y < IN; y++) {
    vfloat d[IN], row[IN];
    for (size_t x = 0; x < IN; x++) d[x] = half[x][y];
    TRANSFORM_INPUT(d, row);
    for (size_t x = 0; x < IN; x++) memcpy(to + (y * IN + x) * step, &row[x], sizeof row[x]);
  }
}

// The tile `block + t` becomes the tile t of `tiles`.
INLINE void transform_input(const sltt_winograd_shape *s, const float *input, size_t block, size_t t,
                            size_t tiles, size_t depth, float *transformed) {
  tile_place place = place_of(s, block + t);
  size_t step = spread(tiles, depth);
  float *to = transformed + t * depth;
#define TRANSFORM(c, inside, lanes)                                                        \
  transform_input_lanes(s, input, place, c, to + (c) / depth * POINTS * step + (c) % depth, \
                        step, inside, lanes)
  FOR_CHANNELS(0, s->inputs, is_inside(s, place, 1, IN), TRANSFORM);
#undef TRANSFORM
}

// result[rows, GROUP] (+)= left * right[depth, GROUP], for constant numbers of rows and of vectors.
INLINE void multiply_block(const float *left, size_t row_step, size_t depth_step, size_t depth,
                           const float *right, float *result, _Bool adds, size_t rows,
                           size_t vectors) {
  vfloat sum[ROWS][GROUP / LANES];
  for (size_t r = 0; r < rows; r++)
    for (size_t v = 0; v < vectors; v++)
      sum[r][v] = adds ? LOAD(result + r * GROUP + v * LANES, LANES) : (vfloat)0;
  for (size_t k = 0; k < depth; k++) {
    vfloat w[GROUP / LANES];
    for (size_t v = 0; v < vectors; v++) memcpy(&w[v], right + k * GROUP + v * LANES, sizeof w[v]);
    for (size_t r = 0; r < rows; r++) {
      vfloat l = left[r * row_step + k * depth_step];
      for (size_t v = 0; v < vectors; v++) sum[r][v] += l * w[v];
    }
  }
  for (size_t r = 0; r < rows; r++) {
    for (size_t v = 0; v < vectors; v++) {
      memcpy(result + r * GROUP + v * LANES, &sum[r][v], sizeof sum[r][v]);
    }
  }
}

// result[rows, GROUP] (+)= left * right[depth, GROUP], where the element of `left` in row r for depth k is
// left[r * row_step + k * depth_step].
INLINE void multiply(const float *left, size_t row_step, size_t depth_step, size_t rows, size_t depth,
                     const float *right, float *result, _Bool adds) {
  // Narrower vectors have half of the registers: a vfloat is two of them.
  _Bool is_wide = sltt_vector_level >= VECTORS_AVX512;
  for (size_t v = 0; v < GROUP; v += is_wide ? GROUP : LANES) {
    for (size_t r = 0, step; r < rows; r += step) {
      step = rows - r >= ROWS ? ROWS : rows - r >= 2 ? 2 : 1;
      const float *from = left + r * row_step;
      float *to = result + r * GROUP + v;
#define MULTIPLY(rows)                                                                         \
  ({                                                                                           \
    if (is_wide)                                                                               \
      multiply_block(from, row_step, depth_step, depth, right, to, adds, rows, GROUP / LANES); \
    else                                                                                       \
      multiply_block(from, row_step, depth_step, depth, right + v, to, adds, rows, 1);         \
  })
      switch (step) {
        case ROWS: MULTIPLY(ROWS); break;
        case 2: MULTIPLY(2); break;
        default: MULTIPLY(1);
      }
#undef MULTIPLY
    }
  }
}
