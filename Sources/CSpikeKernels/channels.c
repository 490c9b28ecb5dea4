#include "spike_kernels.h"
#include "variants.h"
#include "vectors.h"

// Sums over a few pixels at a time in registers' precision, then in double.
enum { BLOCK = 32, WIDEST = 4 };

INLINE void add_moments(const float *values, const float *pivot, double *sums, size_t channels,
                        size_t first, size_t last, size_t c, size_t chunks) {
  size_t count = chunks > 1 ? LANES : channels - c;
  vfloat origin[WIDEST], sum[WIDEST], square[WIDEST];
  for (size_t k = 0; k < chunks; k++) {
    origin[k] = LOAD(pivot + c + k * LANES, count);
    sum[k] = square[k] = 0;
  }
  for (size_t pixel = first; pixel < last; pixel++) {
    for (size_t k = 0; k < chunks; k++) {
      vfloat d = LOAD(values + pixel * channels + c + k * LANES, count) - origin[k];
      sum[k] += d;
      square[k] += d * d;
    }
  }
  for (size_t k = 0; k < chunks; k++) {
    double *to = sums + c + k * LANES;
    for (size_t i = 0; i < LANES && i < count; i++) {
      to[i] += sum[k][i];
      to[channels + i] += square[k][i];
    }
  }
}

INLINE void sltt_channel_moments_body(const float *values, const float *pivot, double *sums,
                                      size_t channels, size_t first, size_t last) {
  for (size_t block = first; block < last; block += BLOCK) {
    size_t end = block + BLOCK < last ? block + BLOCK : last, c = 0;
    for (; c + WIDEST * LANES <= channels; c += WIDEST * LANES)
      add_moments(values, pivot, sums, channels, block, end, c, WIDEST);
    for (; c < channels; c += LANES)
      add_moments(values, pivot, sums, channels, block, end, c, 1);
  }
}

VARIANTS(void, sltt_channel_moments,
         (const float *values, const float *pivot, double *sums, size_t channels, size_t first,
          size_t last),
         (values, pivot, sums, channels, first, last))

INLINE void sltt_channel_products_body(const float *gradient, const float *values,
                                       const float *mean, double *sums, size_t channels,
                                       size_t first, size_t last) {
  for (size_t block = first; block < last; block += BLOCK) {
    size_t end = block + BLOCK < last ? block + BLOCK : last;
    for (size_t c = 0; c < channels; c += LANES) {
      size_t count = channels - c;
      vfloat origin = LOAD(mean + c, count), sum = 0, product = 0;
      for (size_t pixel = block; pixel < end; pixel++) {
        vfloat g = LOAD(gradient + pixel * channels + c, count);
        sum += g;
        product += g * (LOAD(values + pixel * channels + c, count) - origin);
      }
      for (size_t i = 0; i < LANES && i < count; i++) {
        sums[c + i] += sum[i];
        sums[channels + c + i] += product[i];
      }
    }
  }
}

VARIANTS(void, sltt_channel_products,
         (const float *gradient, const float *values, const float *mean, double *sums,
          size_t channels, size_t first, size_t last),
         (gradient, values, mean, sums, channels, first, last))

INLINE void sltt_combine_body(float *gradient, uint16_t *rounded, const float *values,
                              const uint16_t *rounded_values, const float *a, const float *b,
                              const float *c, size_t channels, size_t first, size_t last) {
  for (size_t pixel = first; pixel < last; pixel++) {
    float *g = gradient + pixel * channels;
    for (size_t i = 0; i < channels; i += LANES) {
      size_t n = channels - i, at = pixel * channels + i;
      vfloat x = rounded_values ? LOAD_ROUNDED(rounded_values + at, n) : LOAD(values + at, n);
      vfloat result = LOAD(a + i, n) * LOAD(g + i, n) + LOAD(b + i, n) * x + LOAD(c + i, n);
      STORE(g + i, result, n);
      if (rounded) STORE_ROUNDED(rounded + pixel * channels + i, result, n);
    }
  }
}

VARIANTS(void, sltt_combine,
         (float *gradient, uint16_t *rounded, const float *values, const uint16_t *rounded_values,
          const float *a, const float *b, const float *c, size_t channels, size_t first,
          size_t last),
         (gradient, rounded, values, rounded_values, a, b, c, channels, first, last))
