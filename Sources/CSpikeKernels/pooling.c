#include "spike_kernels.h"
#include "variants.h"
#include "vectors.h"

// Four vectors of a pixel at a time: the channels of a word of spikes.
enum { WIDEST = 4 };

// Calls `body` for all output pixels of the rows, with `from` the first input row of the sample, `y`
// and `x` the spans of input pixels and `to` the output pixel.
#define FOR_EACH_PIXEL(body)                                                                \
  for (size_t row = first; row < last; row++) {                                             \
    size_t oy = row % p->output_height;                                                     \
    size_t from = row / p->output_height * p->height;                                       \
    sltt_span y = p->rows[oy];                                                              \
    for (size_t ox = 0; ox < p->output_width; ox++) {                                       \
      sltt_span x = p->columns[ox];                                                         \
      size_t to = row * p->output_width + ox;                                               \
      body                                                                                  \
    }                                                                                       \
  }

// `chunks` times 16 channels from `c` on; a single chunk may be less than 16 channels.
INLINE void pool_chunks(const sltt_pooling *p, const float *input, float *output, size_t from,
                        size_t to, sltt_span y, sltt_span x, size_t oy, size_t ox, size_t c,
                        size_t chunks) {
  size_t count = chunks > 1 ? LANES : p->channels - c;
  vfloat sum[WIDEST];
  for (size_t k = 0; k < chunks; k++) sum[k] = 0;
  for (size_t iy = y.first; iy < y.last; iy++) {
    for (size_t ix = x.first; ix < x.last; ix++) {
      float weight = p->is_transposed ? p->row_weights[iy] * p->column_weights[ix]
                                      : p->row_weights[oy] * p->column_weights[ox];
      const float *pixel = input + ((from + iy) * p->width + ix) * p->channels + c;
      for (size_t k = 0; k < chunks; k++) sum[k] += weight * LOAD(pixel + k * LANES, count);
    }
  }
  for (size_t k = 0; k < chunks; k++)
    STORE(output + to * p->channels + c + k * LANES, sum[k], count);
}

INLINE void sltt_pool_body(const sltt_pooling *p, const float *input, float *output, size_t first,
                           size_t last) {
  FOR_EACH_PIXEL({
    size_t c = 0;
    for (; c + WIDEST * LANES <= p->channels; c += WIDEST * LANES)
      pool_chunks(p, input, output, from, to, y, x, oy, ox, c, WIDEST);
    for (; c < p->channels; c += LANES)
      pool_chunks(p, input, output, from, to, y, x, oy, ox, c, 1);
  })
}

VARIANTS(void, sltt_pool,
         (const sltt_pooling *p, const float *input, float *output, size_t first, size_t last),
         (p, input, output, first, last))

INLINE void sltt_pool_spikes_body(const sltt_pooling *p, const uint64_t *spikes, float amplitude,
                                  float *output, size_t first, size_t last) {
  size_t words = words_of(p->channels);
  FOR_EACH_PIXEL({
    float weight = amplitude * p->row_weights[oy] * p->column_weights[ox];
    for (size_t w = 0; w < words; w++) {
      vint count[WIDEST];
      for (size_t k = 0; k < WIDEST; k++) count[k] = 0;
      for (size_t iy = y.first; iy < y.last; iy++) {
        for (size_t ix = x.first; ix < x.last; ix++) {
          uint64_t word = spikes[((from + iy) * p->width + ix) * words + w];
          for (size_t k = 0; k < WIDEST; k++)
            count[k] -= MASK_OF_BITS((uint16_t)(word >> (k * LANES)));
        }
      }
      size_t left = p->channels - w * 64;
      float *pixel = output + to * p->channels + w * 64;
      for (size_t k = 0; k < WIDEST && k * LANES < left; k++) {
        vfloat mean = weight * __builtin_convertvector(count[k], vfloat);
        STORE(pixel + k * LANES, mean, left - k * LANES);
      }
    }
  })
}

VARIANTS(void, sltt_pool_spikes,
         (const sltt_pooling *p, const uint64_t *spikes, float amplitude, float *output,
          size_t first, size_t last),
         (p, spikes, amplitude, output, first, last))
