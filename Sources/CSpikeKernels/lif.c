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
enum { BLOCK = 32, WIDEST = 4 };

// The pixels first ..< last at `chunks` times 16 channels from `c` on; a single chunk may be less than
// 16 channels.
INLINE double lif_backward_chunks(const sltt_lif_backward_args *args, sltt_surrogate kind,
                                  size_t first, size_t last, size_t c, size_t chunks) {
  const sltt_lif_backward_args a = *args;
  size_t words = words_of(a.channels), count = chunks > 1 ? LANES : a.channels - c;
  vfloat scale[WIDEST], mean[WIDEST], sum[WIDEST], product[WIDEST], decay_sum = 0;
  for (size_t k = 0; k < chunks; k++) {
    scale[k] = a.output_scale ? LOAD(a.output_scale + c + k * LANES, count) : (vfloat)1;
    mean[k] = a.mean ? LOAD(a.mean + c + k * LANES, count) : (vfloat)0;
    sum[k] = product[k] = 0;
  }
  for (size_t pixel = first; pixel < last; pixel++) {
    uint64_t word = a.spikes[pixel * words + c / 64] >> (c & 63);
    uint64_t kept = a.kept ? a.kept[pixel * words + c / 64] >> (c & 63) : 0;
    for (size_t k = 0; k < chunks; k++) {
      size_t at = pixel * a.channels + c + k * LANES;
      // u = v + threshold * s, so z = u - threshold.
      vint fired = MASK_OF_BITS((uint16_t)(word >> (k * LANES)));
      vfloat z = LOAD(a.membrane + at, count) - KEEP(a.threshold, ~fired);
      vfloat spike_gradient = LOAD(a.gradient + at, count);
      if (a.more_gradient) spike_gradient += LOAD(a.more_gradient + at, count);
      spike_gradient *= a.amplitude;
      if (a.kept) spike_gradient = KEEP(spike_gradient, MASK_OF_BITS((uint16_t)(kept >> (k * LANES))));
      vfloat g;
      if (a.membrane_gradient_in) {
        vfloat later = LOAD(a.membrane_gradient_in + at, count);
        g = (spike_gradient - a.threshold * later) * SURROGATE(z, kind, a.width) + later;
      } else {
        g = spike_gradient * SURROGATE(z, kind, a.width);
      }
      vfloat output = scale[k] * g;
      if (a.skip_gradient) output += LOAD(a.skip_gradient + at, count);
      STORE(a.gradient + at, output, count);
      if (a.rounded) STORE_ROUNDED(a.rounded + at, output, count);
      if (a.membrane_gradient_out) STORE(a.membrane_gradient_out + at, a.decay * g, count);
      if (a.sums) {
        sum[k] += g;
        product[k] += g * (LOAD(a.input + at, count) - mean[k]);
      }
      if (a.previous) decay_sum += g * LOAD(a.previous + at, count);
    }
  }
  if (a.sums) {
    for (size_t k = 0; k < chunks; k++) {
      double *sums = a.sums + c + k * LANES;
      for (size_t i = 0; i < LANES && i < count; i++) {
        sums[i] += sum[k][i];
        sums[a.channels + i] += product[k][i];
      }
    }
  }
  double decay_gradient = 0;
  for (size_t i = 0; a.previous && i < LANES && i < count; i++) decay_gradient += decay_sum[i];
  return decay_gradient;
}

INLINE double lif_backward(const sltt_lif_backward_args *args, sltt_surrogate kind, size_t first,
                           size_t last) {
  double decay_gradient = 0;
  for (size_t block = first; block < last; block += BLOCK) {
    size_t end = block + BLOCK < last ? block + BLOCK : last, c = 0;
    for (; c + WIDEST * LANES <= args->channels; c += WIDEST * LANES)
      decay_gradient += lif_backward_chunks(args, kind, block, end, c, WIDEST);
    for (; c < args->channels; c += LANES)
      decay_gradient += lif_backward_chunks(args, kind, block, end, c, 1);
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
