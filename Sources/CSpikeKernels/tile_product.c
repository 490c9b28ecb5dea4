#include "tiles.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

INLINE void multiply_spikes_body(const uint8_t *const a[2], const uint8_t *b,
                                 const tile_step *steps, size_t count, void *c) {
  for (size_t row = 0; row < PAIR; row++) {
    const uint8_t *line = a[row / TILE_ROWS] + row % TILE_ROWS * LINE;
    vint sums[2] = {0};
    for (size_t step = 0; step < count; step++) {
      for (size_t k = 0; k < LINE / 4; k++) {
        const uint8_t *x = line + steps[step].a + 4 * k;
        for (size_t half = 0; half < 2; half++) {
          vint y;
          memcpy(&y, b + steps[step].b + half * TILE_BYTES + k * LINE, sizeof y);
          sums[half] += (y << 24 >> 24) * x[0] + (y << 16 >> 24) * x[1] + (y << 8 >> 24) * x[2] +
                        (y >> 24) * x[3];
        }
      }
    }
    memcpy((char *)c + row * sizeof sums, sums, sizeof sums);
  }
}

STATIC_VARIANTS(void, multiply_spikes,
                (const uint8_t *const a[2], const uint8_t *b, const tile_step *steps, size_t count,
                 void *c),
                (a, b, steps, count, c))

// In the order of AMX (Intel, Software Developer's Manual, TDPBF16PS): within a step the products of
// even and of odd numbers are summed apart. Each product is exact.
INLINE void multiply_bfloat16_body(const uint8_t *const a[2], const uint8_t *b,
                                   const tile_step *steps, size_t count, void *c) {
  for (size_t row = 0; row < PAIR; row++) {
    const uint8_t *line = a[row / TILE_ROWS] + row % TILE_ROWS * LINE;
    vfloat sums[2] = {0};
    for (size_t step = 0; step < count; step++) {
      vfloat even[2] = {0}, odd[2] = {0};
      for (size_t k = 0; k < LINE / 4; k++) {
        uint32_t x;
        memcpy(&x, line + steps[step].a + 4 * k, sizeof x);
        vuint low = (vuint)(x << 16), high = (vuint)(x & 0xffff0000);
        for (size_t half = 0; half < 2; half++) {
          vuint y;
          memcpy(&y, b + steps[step].b + half * TILE_BYTES + k * LINE, sizeof y);
          even[half] += (vfloat)low * (vfloat)(y << 16);
          odd[half] += (vfloat)high * (vfloat)(y & 0xffff0000);
        }
      }
      for (size_t half = 0; half < 2; half++) sums[half] += even[half] + odd[half];
    }
    memcpy((char *)c + row * sizeof sums, sums, sizeof sums);
  }
}

STATIC_VARIANTS(void, multiply_bfloat16,
                (const uint8_t *const a[2], const uint8_t *b, const tile_step *steps, size_t count,
                 void *c),
                (a, b, steps, count, c))

#if defined(__x86_64__)
// For each step and each four bytes of a line, with `x` at those of the row and `y` at those of the
// columns.
#define FOR_STEPS(row)                                                                             \
  for (const tile_step *step_ = steps; step_ < steps + count; step_++)                             \
    for (const uint8_t *x = a[(row) / TILE_ROWS] + (row) % TILE_ROWS * LINE + step_->a,            \
                       *end_ = x + LINE, *y = b + step_->b;                                        \
         x < end_; x += 4, y += LINE)

// Spikes are 0 or 1, so that sums of two products fit in int16.
__attribute__((target("arch=x86-64-v3"))) static void multiply_by_avx2(
    const uint8_t *const a[2], const uint8_t *b, const tile_step *steps, size_t count, void *c) {
  enum { AT_ONCE = 2 };
  const __m256i ones = _mm256_set1_epi16(1);
  for (size_t row = 0; row < PAIR; row += AT_ONCE) {
    __m256i sums[AT_ONCE][4] = {0};
    FOR_STEPS(row) {
      for (size_t i = 0; i < AT_ONCE; i++) {
        __m256i four = _mm256_set1_epi32(*(const int *)(x + i * LINE));
        for (size_t j = 0; j < 4; j++) {
          const uint8_t *columns = y + j / 2 * TILE_BYTES + j % 2 * 32;
          __m256i pairs = _mm256_maddubs_epi16(four, _mm256_loadu_si256((const void *)columns));
          sums[i][j] = _mm256_add_epi32(sums[i][j], _mm256_madd_epi16(pairs, ones));
        }
      }
    }
    memcpy((char *)c + row * sizeof sums[0], sums, sizeof sums);
  }
}

WITH_AVX512(",avx512vnni")
static void multiply_by_vnni(const uint8_t *const a[2], const uint8_t *b, const tile_step *steps,
                             size_t count, void *c) {
  enum { AT_ONCE = 8 };
  for (size_t row = 0; row < PAIR; row += AT_ONCE) {
    __m512i sums[AT_ONCE][2] = {0};
    FOR_STEPS(row) {
      __m512i left = _mm512_loadu_si512(y), right = _mm512_loadu_si512(y + TILE_BYTES);
      for (size_t i = 0; i < AT_ONCE; i++) {
        __m512i four = _mm512_set1_epi32(*(const int *)(x + i * LINE));
        sums[i][0] = _mm512_dpbusd_epi32(sums[i][0], four, left);
        sums[i][1] = _mm512_dpbusd_epi32(sums[i][1], four, right);
      }
    }
    memcpy((char *)c + row * sizeof sums[0], sums, sizeof sums);
  }
}

#define WITH_AMX __attribute__((target("arch=x86-64-v4,amx-tile,amx-int8,amx-bf16")))

// Tiles 0 to 3 hold the sums, 4 and 5 the rows of A, 6 and 7 the columns of B. What the step before has
// loaded is not loaded again.
#define DEFINE_AMX_PRODUCT(name, MULTIPLY)                                                      \
  WITH_AMX static void name(const uint8_t *const a[2], const uint8_t *b, const tile_step *steps, \
                            size_t count, void *c) {                                            \
    _tile_zero(0);                                                                              \
    _tile_zero(1);                                                                              \
    _tile_zero(2);                                                                              \
    _tile_zero(3);                                                                              \
    uint32_t held_a = UINT32_MAX, held_b = UINT32_MAX;                                          \
    for (size_t step = 0; step < count; step++) {                                               \
      const uint8_t *x0 = a[0] + steps[step].a, *x1 = a[1] + steps[step].a;                     \
      const uint8_t *y = b + steps[step].b;                                                     \
      int loads_a = steps[step].a != held_a, loads_b = steps[step].b != held_b;                 \
      if (loads_a) _tile_loadd(4, x0, LINE);                                                    \
      if (loads_b) _tile_loadd(6, y, LINE);                                                     \
      MULTIPLY(0, 4, 6);                                                                        \
      if (loads_b) _tile_loadd(7, y + TILE_BYTES, LINE);                                        \
      MULTIPLY(1, 4, 7);                                                                        \
      if (loads_a) _tile_loadd(5, x1, LINE);                                                    \
      MULTIPLY(2, 5, 6);                                                                        \
      MULTIPLY(3, 5, 7);                                                                        \
      held_a = steps[step].a;                                                                   \
      held_b = steps[step].b;                                                                   \
    }                                                                                           \
    uint32_t *to = c;                                                                           \
    _tile_stored(0, to, PAIR * sizeof *to);                                                     \
    _tile_stored(1, to + TILE_ROWS, PAIR * sizeof *to);                                         \
    _tile_stored(2, to + TILE_ROWS * PAIR, PAIR * sizeof *to);                                  \
    _tile_stored(3, to + TILE_ROWS * PAIR + TILE_ROWS, PAIR * sizeof *to);                      \
  }

DEFINE_AMX_PRODUCT(multiply_spikes_by_amx, _tile_dpbusd)
DEFINE_AMX_PRODUCT(multiply_bfloat16_by_amx, _tile_dpbf16ps)

// Eight tiles of full size (Intel, Software Developer's Manual, LDTILECFG).
WITH_AMX static void configure_tiles(void) {
  struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
  } configuration = {.palette = 1};
  for (size_t tile = 0; tile < 8; tile++) {
    configuration.row_bytes[tile] = LINE;
    configuration.rows[tile] = TILE_ROWS;
  }
  _tile_loadconfig(&configuration);
}

WITH_AMX static void release_tiles(void) { _tile_release(); }
#endif

tile_product *sltt_tiles_begin(sltt_tile_engine engine, tile_kind kind) {
#if defined(__x86_64__)
  if (engine == SLTT_TILES_AMX) {
    configure_tiles();
    return kind == TILES_OF_SPIKES ? multiply_spikes_by_amx : multiply_bfloat16_by_amx;
  }
  if (kind == TILES_OF_SPIKES && engine == SLTT_TILES_VNNI) return multiply_by_vnni;
  if (kind == TILES_OF_SPIKES && engine == SLTT_TILES_AVX2) return multiply_by_avx2;
#endif
  return kind == TILES_OF_SPIKES ? multiply_spikes : multiply_bfloat16;
}

void sltt_tiles_end(sltt_tile_engine engine) {
#if defined(__x86_64__)
  if (engine == SLTT_TILES_AMX) release_tiles();
#endif
}
