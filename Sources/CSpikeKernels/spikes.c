#include "spike_kernels.h"
#include "variants.h"
#include "vectors.h"

#define SPIKES_AT(pixel, c)                                                      \
  KEEP(amplitude, MASK_OF_BITS((uint16_t)(spikes[(pixel) * words + (c) / 64] >> ((c) & 63))))

INLINE void sltt_unpack_body(const uint64_t *spikes, float *values, size_t channels,
                             float amplitude, size_t first, size_t last) {
  size_t words = words_of(channels);
  for (size_t pixel = first; pixel < last; pixel++) {
    float *row = values + pixel * channels;
    for (size_t c = 0; c < channels; c += LANES) {
      STORE(row + c, SPIKES_AT(pixel, c), channels - c);
    }
  }
}

VARIANTS(void, sltt_unpack,
         (const uint64_t *spikes, float *values, size_t channels, float amplitude, size_t first,
          size_t last),
         (spikes, values, channels, amplitude, first, last))

INLINE void sltt_unpack_rounded_body(const uint64_t *spikes, uint16_t *values, size_t channels,
                                     float amplitude, size_t first, size_t last) {
  size_t words = words_of(channels);
  for (size_t pixel = first; pixel < last; pixel++) {
    uint16_t *row = values + pixel * channels;
    for (size_t c = 0; c < channels; c += LANES) {
      STORE_ROUNDED(row + c, SPIKES_AT(pixel, c), channels - c);
    }
  }
}

VARIANTS(void, sltt_unpack_rounded,
         (const uint64_t *spikes, uint16_t *values, size_t channels, float amplitude,
          size_t first, size_t last),
         (spikes, values, channels, amplitude, first, last))

INLINE void sltt_round_body(const float *values, uint16_t *rounded, size_t first, size_t last) {
  for (size_t i = first; i < last; i += LANES) {
    vfloat v = LOAD(values + i, last - i);
    STORE_ROUNDED(rounded + i, v, last - i);
  }
}

VARIANTS(void, sltt_round,
         (const float *values, uint16_t *rounded, size_t first, size_t last),
         (values, rounded, first, last))

INLINE void sltt_add_spikes_body(const uint64_t *spikes, float *values, size_t channels,
                                 float amplitude, float decay, size_t first, size_t last) {
  size_t words = words_of(channels);
  for (size_t pixel = first; pixel < last; pixel++) {
    float *row = values + pixel * channels;
    for (size_t c = 0; c < channels; c += LANES) {
      vfloat sum = decay * LOAD(row + c, channels - c) + SPIKES_AT(pixel, c);
      STORE(row + c, sum, channels - c);
    }
  }
}

VARIANTS(void, sltt_add_spikes,
         (const uint64_t *spikes, float *values, size_t channels, float amplitude, float decay,
          size_t first, size_t last),
         (spikes, values, channels, amplitude, decay, first, last))

INLINE void sltt_mark_body(const float *values, uint64_t *spikes, size_t channels, size_t first,
                           size_t last) {
  size_t words = words_of(channels);
  for (size_t pixel = first; pixel < last; pixel++) {
    for (size_t w = 0; w < words; w++) {
      uint64_t packed = 0;
      for (size_t c = w * 64; c < channels && c < w * 64 + 64; c += LANES) {
        // What lies behind the channels is loaded as 0.
        vint is_set = LOAD(values + pixel * channels + c, channels - c) != 0;
        uint64_t bits = BITS_OF_MASK(is_set);
        packed |= bits << (c & 63);
      }
      spikes[pixel * words + w] = packed;
    }
  }
}

VARIANTS(void, sltt_mark,
         (const float *values, uint64_t *spikes, size_t channels, size_t first, size_t last),
         (values, spikes, channels, first, last))
