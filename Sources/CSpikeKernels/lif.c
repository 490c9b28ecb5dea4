#include "spike_kernels.h"
#include "variants.h"
#include "vectors.h"

#include <math.h>

INLINE size_t sltt_lif_forward_body(const sltt_lif_forward_args *args, size_t first, size_t last) {
  const sltt_lif_forward_args a = *args;
  size_t words = words_of(a.channels), fired = 0;
  for (size_t pixel = first; pixel < last; pixel++) {
    size_t row = pixel * a.channels;
    for (size_t w = 0; w < words; w++) {
      uint64_t packed = 0;
      for (size_t c = w * 64; c < a.channels && c < w * 64 + 64; c += LANES) {
        size_t count = a.channels - c;
        vfloat u = LOAD(a.input + row + c, count) * LOAD(a.scale + c, count) + LOAD(a.shift + c, count);
        if (a.previous) u += a.decay * LOAD(a.previous + row + c, count);
        vint fires = u >= a.threshold;
        STORE(a.membrane + row + c, u - KEEP(a.threshold, fires), count);
        uint64_t bits = BITS_OF_MASK(fires);
        if (count < LANES) bits &= (1u << count) - 1;
        packed |= bits << (c & 63);
      }
      a.spikes[pixel * words + w] = packed;
      fired += (size_t)__builtin_popcountll(packed);
    }
  }
  return fired;
}

VARIANTS(size_t, sltt_lif_forward,
         (const sltt_lif_forward_args *args, size_t first, size_t last),
         (args, first, last))

// The surrogate's value at z, for a `kind` known when compiling.
#define SURROGATE(z, kind, width)                                                      \
  ({                                                                                   \
    vfloat z_ = (z), value_;                                                           \
    vfloat magnitude_ = (vfloat)((vint)z_ & 0x7fffffff);                               \
    if ((kind) == SLTT_TRIANGLE) {                                                     \
      vfloat height_ = (width) - (width) * (width) * magnitude_;                       \
      value_ = KEEP(height_, height_ > 0);                                             \
    } else if ((kind) == SLTT_RECTANGLE) {                                             \
      value_ = KEEP(1 / (width), magnitude_ <= (width) / 2);                           \
    } else {                                                                           \
      for (int i_ = 0; i_ < LANES; i_++) {                                             \
        float sigma_ = 1 / (1 + expf(-(width) * z_[i_]));                              \
        value_[i_] = (width) * sigma_ * (1 - sigma_);                                  \
      }                                                                                \
    }                                                                                  \
    value_;                                                                            \
  })

// Sums over a few pixels at a time in registers' precision, then in double.
enum { BLOCK = 32 };

INLINE double lif_backward(const sltt_lif_backward_args *args, sltt_surrogate kind, size_t first,
                           size_t last) {
  const sltt_lif_backward_args a = *args;
  size_t words = words_of(a.channels);
  double decay_gradient = 0;
  for (size_t block = first; block < last; block += BLOCK) {
    size_t end = block + BLOCK < last ? block + BLOCK : last;
    for (size_t c = 0; c < a.channels; c += LANES) {
      size_t count = a.channels - c;
      vfloat scale = a.output_scale ? LOAD(a.output_scale + c, count) : (vfloat)1;
      vfloat mean = a.mean ? LOAD(a.mean + c, count) : (vfloat)0;
      vfloat sum = 0, product = 0, decay_sum = 0;
      for (size_t pixel = block; pixel < end; pixel++) {
        size_t at = pixel * a.channels + c;
        uint16_t bits = (uint16_t)(a.spikes[pixel * words + c / 64] >> (c & 63));
        // u = v + threshold * s, so z = u - threshold.
        vfloat z = LOAD(a.membrane + at, count) - KEEP(a.threshold, ~MASK_OF_BITS(bits));
        vfloat spike_gradient = a.amplitude * LOAD(a.gradient + at, count);
        vfloat g;
        if (a.membrane_gradient_in) {
          vfloat later = LOAD(a.membrane_gradient_in + at, count);
          g = (spike_gradient - a.threshold * later) * SURROGATE(z, kind, a.width) + later;
        } else {
          g = spike_gradient * SURROGATE(z, kind, a.width);
        }
        vfloat output = scale * g;
        STORE(a.gradient + at, output, count);
        if (a.rounded) STORE_ROUNDED(a.rounded + at, output, count);
        if (a.membrane_gradient_out) STORE(a.membrane_gradient_out + at, a.decay * g, count);
        if (a.sums) {
          sum += g;
          product += g * (LOAD(a.input + at, count) - mean);
        }
        if (a.previous) decay_sum += g * LOAD(a.previous + at, count);
      }
      for (size_t i = 0; i < LANES && i < count; i++) {
        if (a.sums) {
          a.sums[c + i] += sum[i];
          a.sums[a.channels + c + i] += product[i];
        }
        if (a.previous) decay_gradient += decay_sum[i];
      }
    }
  }
  return decay_gradient;
}

INLINE double sltt_lif_backward_body(const sltt_lif_backward_args *args, size_t first,
                                     size_t last) {
  switch (args->surrogate) {
    case SLTT_TRIANGLE: return lif_backward(args, SLTT_TRIANGLE, first, last);
    case SLTT_RECTANGLE: return lif_backward(args, SLTT_RECTANGLE, first, last);
    default: return lif_backward(args, SLTT_SIGMOID, first, last);
  }
}

VARIANTS(double, sltt_lif_backward,
         (const sltt_lif_backward_args *args, size_t first, size_t last),
         (args, first, last))
