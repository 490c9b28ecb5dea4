// What the convolutions by tiles share.
#pragma once

#include "tile_kernels.h"
#include "variants.h"

enum {
  TILE_ROWS = 16,
  LINE = 64,                              // bytes of a row of a tile
  TILE_BYTES = TILE_ROWS * LINE,
  PAIR = 2 * TILE_ROWS,                   // rows and columns of a product
  PAIR_BYTES = 2 * TILE_BYTES,
  PARTS = 3,                              // of a real number, at most
};

// Of a product with each part.
typedef int32_t part_sums[PARTS][PAIR * PAIR];

// The tiles of a product's step: where they are in bytes, from its operands' beginnings.
typedef struct {
  uint32_t a, b;
} tile_step;

// c[32][32] = the sum over the steps of A * B, where A is the 16 rows at a[0] and the 16 at a[1],
// and B is two tiles one behind the other, of 16 columns each.
typedef void tile_product(const uint8_t *const a[2], const uint8_t *b, const tile_step *steps,
                          size_t count, void *c);

typedef enum {
  // A row of A is 64 bytes that are 0 or 1, a column of B 64 signed bytes, of which four lie
  // together: byte k is at 64 (k / 4) + 4 column + k % 4. c is int32_t.
  TILES_OF_SPIKES,
  // A row of A is 32 bfloat16 numbers, a column of B as well, of which two lie together: number k is
  // at 64 (k / 2) + 4 column + 2 (k % 2). c is float.
  TILES_OF_BFLOAT16,
} tile_kind;

// Between these two calls a thread may multiply with an engine.
tile_product *sltt_tiles_begin(sltt_tile_engine engine, tile_kind kind);
void sltt_tiles_end(sltt_tile_engine engine);

INLINE size_t divided_up(size_t count, size_t by) { return (count + by - 1) / by; }
INLINE size_t at_most(size_t count, size_t limit) { return count < limit ? count : limit; }
INLINE size_t at_least(size_t count, size_t limit) { return count > limit ? count : limit; }

INLINE size_t tile_pairs(size_t channels) { return divided_up(channels, PAIR); }

// How many samples lie side by side, so that rows of `width` pixels of each fill lines of `size`
// well.
INLINE size_t side_by_side(size_t width, size_t samples, size_t size) {
  size_t best = 1, best_filled = 0, best_size = 1;
  for (size_t count = 1; count <= at_most(samples, size); count++) {
    size_t filled = count * width, whole = divided_up(filled, size) * size;
    if (8 * filled >= 7 * whole) return count;
    if (filled * best_size > best_filled * whole) {
      best = count;
      best_filled = filled;
      best_size = whole;
    }
  }
  return best;
}

// Rows and columns at which windows begin are a stride apart; of those in between, windows reach so
// many.
INLINE size_t phases_of(const sltt_tile_shape *s) { return at_most(s->kernel, s->stride); }
// Strides that a window reaches beyond its first row or column.
INLINE size_t reach_of(const sltt_tile_shape *s) { return (s->kernel - 1) / s->stride; }
// Rows of the padded input that lie in memory for so many rows of the output.
INLINE size_t slots_of(const sltt_tile_shape *s, size_t rows) {
  return (rows + reach_of(s)) * phases_of(s);
}
// Where the window's row or column `tap` lies in memory, from its first one.
INLINE size_t slot_of(const sltt_tile_shape *s, size_t tap) {
  return tap / s->stride * phases_of(s) + tap % s->stride;
}

// The input's row under the window's row `tap` at the output's row; large where it is in the padding.
INLINE size_t input_of(const sltt_tile_shape *s, size_t output, size_t tap) {
  return output * s->stride + tap - s->padding;
}

// Lines of 64 bytes that a convolution's input is unpacked to: for each block of channels, in the
// order of rows, of the phases of columns, of columns and of samples. So the lines under a window's
// tap lie one behind the other for the pixels of a row, which makes them rows of tiles.
typedef struct {
  size_t samples;                // side by side
  size_t groups;                 // of so many samples
  size_t rows;                   // of an image's results
  size_t phases, reach;          // of rows
  size_t pitch;                  // columns of a phase
  size_t row_lines;              // of an unpacked row
  size_t blocks;                 // of channels
} tile_layout;

// Some rows of the results of some groups: whole images if there are several groups.
typedef struct {
  size_t group, groups, row, rows;
} tile_band;

// Bytes of lines that a thread goes through at a time: they stay in the second-level cache.
enum { BAND_BYTES = 384 << 10, PAIRED_BAND_BYTES = 1 << 20 };

INLINE size_t band_lines(const tile_layout *l, size_t rows) {
  return (rows + l->reach) * l->phases * l->row_lines;
}

// Tiles of a row of so many pixels.
INLINE size_t tiles_in_row(const tile_layout *l, size_t width) {
  return divided_up(width * l->samples, TILE_ROWS);
}

// As many as fit of the rows first ..< last of all groups, `width` pixels wide. A product takes two
// tiles: where a row has one or three, whole images of two groups may take more room.
INLINE tile_band next_band(const tile_layout *l, size_t width, size_t first, size_t last) {
  size_t group = first / l->rows, row = first % l->rows;
  size_t lines = at_least(BAND_BYTES / (LINE * l->blocks), 1), image = band_lines(l, l->rows);
  size_t fitting = lines / image;
  if (tiles_in_row(l, width) % 2 == 1) {
    if (fitting < 2 && 2 * image <= PAIRED_BAND_BYTES / (LINE * l->blocks)) fitting = 2;
    if (fitting > 2) fitting -= fitting % 2;
  }
  size_t whole = at_most((last - first) / l->rows, fitting);
  if (row == 0 && whole > 0) return (tile_band){group, whole, 0, l->rows};
  size_t rows = at_least(lines / (l->phases * l->row_lines), l->reach + 1) - l->reach;
  return (tile_band){group, 1, row, at_most(at_most(rows, l->rows - row), last - first)};
}

// Lines between the blocks of channels. A tile may go on behind the last line; an odd number spreads
// the blocks over the sets of the cache.
INLINE size_t block_lines(const tile_layout *l, const tile_band *b) {
  return (b->groups * band_lines(l, b->rows) + TILE_ROWS) | 1;
}

// Bytes of the lines of any band.
INLINE size_t most_band_bytes(const tile_layout *l, size_t width) {
  // One that begins with an image has the most.
  tile_band b = next_band(l, width, 0, l->groups * l->rows);
  return block_lines(l, &b) * l->blocks * LINE;
}

// Room for lines behind a list of steps.
INLINE uint8_t *lines_behind(const tile_step *steps, size_t count) {
  return (uint8_t *)(divided_up((uintptr_t)(steps + count), LINE) * LINE);
}

INLINE size_t scratch_bytes(size_t steps, size_t line_bytes) {
  return steps * sizeof(tile_step) + LINE + line_bytes;
}

// A row of the results of all samples: the pixels stride * q + rest, of which tiles hold the q one
// behind the other.
typedef struct {
  float *values;                 // of all rows
  size_t samples, height, width, channels;
  size_t row, stride, rest;
} tile_results;

// Where the 32 rows of a product belong.
typedef struct {
  const uint8_t *a[2];           // the tiles that are multiplied
  float *rows[PAIR];             // of its results; NULL: nowhere
  size_t columns;                // from there on; there may be more than a product's, or fewer
} tile_destination;

// Of the tiles `tile` and `tile + 1` of a row with so many quotients, whose lines in the first group
// begin at `lines`, and the results from channel `column` on. The second tile may be nobody's.
INLINE tile_destination destination_of(const tile_layout *l, const tile_band *b, size_t quotients,
                                       size_t tile, const uint8_t *lines, const tile_results *r,
                                       size_t column) {
  size_t in_row = tiles_in_row(l, quotients), tiles = b->groups * in_row;
  tile_destination to = {.columns = r->channels - column};
  size_t image = r->height * r->width * r->channels, pixel = r->stride * r->channels;
  for (size_t half = 0; half < 2; half++) {
    size_t which = at_most(tile + half, tiles - 1);
    size_t group = which / in_row, line = which % in_row * TILE_ROWS;
    to.a[half] = lines + (group * band_lines(l, b->rows) + line) * LINE;
    size_t x = line / l->samples * r->stride + r->rest, beside = line % l->samples;
    size_t first = (b->group + group) * l->samples;
    float *row = r->values + first * image + (r->row * r->width + x) * r->channels + column;
    for (size_t i = 0; i < TILE_ROWS; i++) {
      int is_inside = tile + half < tiles && x < r->width && first + beside < r->samples;
      to.rows[half * TILE_ROWS + i] = is_inside ? row + beside * image : NULL;
      if (++beside == l->samples) {
        beside = 0;
        x += r->stride;
        row += pixel;
      }
    }
  }
  return to;
}

// What real numbers are multiplied by, and by what their products must be multiplied again; NaN where
// one of them is not finite, so that results are NaN.
typedef struct {
  float to_fixed, to_real;
} fixed_point;

// `bits` of the largest magnitude.
INLINE fixed_point fixed_point_of(uint32_t bits, size_t parts) {
  // Rounding must not carry into a further part.
  const float largest = parts == 2 ? 127 * 256 + 127 : 127 * 65536 + 127 * 256, least = 1e-30f;
  float magnitude;
  memcpy(&magnitude, &bits, sizeof magnitude);
  if (bits >= 0x7f800000) return (fixed_point){__builtin_nanf(""), __builtin_nanf("")};
  float to_fixed = largest / (magnitude > least ? magnitude : least);
  return (fixed_point){to_fixed, 1 / to_fixed};
}

// Fixed-point numbers; 0 for NaN.
#define FIXED(value, to_fixed)                                                     \
  ({                                                                               \
    vfloat fixed_ = __builtin_elementwise_roundeven((value) * (to_fixed));         \
    __builtin_convertvector(KEEP(fixed_, fixed_ == fixed_), vint);                 \
  })

// Writes the parts of four fixed-point numbers in each lane, the least significant ones last: a row
// of a tile for each part, `step` bytes apart.
#define STORE_PARTS(to, numbers, parts, step)                                      \
  for (size_t part_ = (parts); part_-- > 0;) {                                     \
    vint row_ = (numbers[0] & 255) | (numbers[1] & 255) << 8 |                     \
                (numbers[2] & 255) << 16 | numbers[3] << 24;                       \
    memcpy((to) + part_ * (step), &row_, sizeof row_);                             \
    for (size_t i_ = 0; i_ < 4; i_++) numbers[i_] = (numbers[i_] + 128) >> 8;      \
  }

// Sixteen of a product's sums, from the sums with each part, the most significant one first. All
// products by 256 are exact.
#define COMBINED(c, parts, index)                                                  \
  ({                                                                               \
    vfloat sum_ = 0;                                                               \
    for (size_t part_ = 0; part_ < (parts); part_++) {                             \
      vint part_sum_;                                                              \
      memcpy(&part_sum_, (c)[part_] + (index), sizeof part_sum_);                  \
      sum_ = 256 * sum_ + __builtin_convertvector(part_sum_, vfloat);              \
    }                                                                              \
    sum_;                                                                          \
  })
