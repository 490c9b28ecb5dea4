#include "spike_kernels.h"
#include "variants.h"
#include "vectors.h"

// Spikes that a neuron fires at the potential u.
#define COUNT(u, neurons, threshold)                                                   \
  ({                                                                                   \
    float least_ = (neurons).offset * (threshold);                                     \
    vfloat count_ = KEEP((vfloat)1, (u) >= least_);                                    \
    for (size_t k_ = 1; k_ < (neurons).levels; k_++)                                   \
      count_ += KEEP((vfloat)1, (u) >= least_ + k_ * (threshold));                     \
    count_;                                                                            \
  })

// The potential after the reset, of one before it.
#define RESET(u, neurons, threshold)                                                   \
  ({                                                                                   \
    vfloat u_ = (u), spikes_ = COUNT(u_, neurons, threshold);                          \
    (neurons).reset == SLTT_HARD_RESET ? KEEP(u_, spikes_ == 0)                        \
                                       : u_ - (threshold) * spikes_;                   \
  })

#define SIGMOID(x) (1 / (1 + EXP(-(x))))

// Neurons of one level that are reset softly, as most are: known when compiling, that saves a fourth of
// the time.
INLINE _Bool is_plain(const sltt_neurons *neurons) {
  return neurons->levels == 1 && neurons->reset == SLTT_SOFT_RESET;
}

INLINE sltt_neurons known(sltt_neurons neurons, _Bool plain) {
  if (plain) {
    neurons.levels = 1;
    neurons.reset = SLTT_SOFT_RESET;
  }
  return neurons;
}

INLINE size_t neuron_forward(const sltt_neuron_forward_args *args, _Bool plain, size_t first,
                             size_t last) {
  const sltt_neuron_forward_args a = *args;
  const sltt_neurons neurons = known(a.neurons, plain);
  size_t planes = plain ? 1 : a.planes;
  float *complement_out = plain ? NULL : a.complement;
  size_t words = words_of(a.channels), fired = 0;
  for (size_t pixel = first; pixel < last; pixel++) {
    size_t row = pixel * a.channels;
    for (size_t w = 0; w < words; w++) {
      uint64_t packed[SLTT_MOST_PLANES] = {0};
      for (size_t c = w * 64; c < a.channels && c < w * 64 + 64; c += LANES) {
        size_t at = row + c, count = a.channels - c;
        vfloat u;
        if (a.input) {
          vfloat x = LOAD(a.input + at, count);
          if (a.centered) STORE_ROUNDED(a.centered + at, x - LOAD(a.mean + c, count), count);
          u = x * LOAD(a.scale + c, count) + LOAD(a.shift + c, count);
          if (a.previous) {
            vfloat before = LOAD(a.previous + at, count);
            vfloat after = RESET(before, neurons, a.previous_threshold);
            if (!plain && a.previous_complement) {
              vfloat more = a.previous_threshold * SIGMOID(LOAD(a.previous_complement + at, count));
              after -= KEEP(more, before >= a.previous_threshold);
            }
            u += neurons.decay * after;
          }
          STORE(a.membrane + at, u, count);
        } else {
          u = LOAD(a.membrane + at, count);
        }
        if (!a.spikes[0]) continue;
        vfloat spikes = COUNT(u, neurons, neurons.threshold);
        if (complement_out) {
          vfloat complement = spikes;
          if (a.previous)
            complement +=
                LOAD(a.previous_complement + at, count) * SIGMOID((1 - neurons.decay) * u);
          STORE(complement_out + at, complement, count);
        }
        vint number = __builtin_convertvector(spikes, vint);
        for (size_t plane = 0; plane < planes; plane++) {
          uint64_t bits = BITS_OF_MASK(plain ? spikes > 0 : -(number >> (int)plane & 1));
          if (count < LANES) bits &= (1u << count) - 1;
          packed[plane] |= bits << (c & 63);
        }
      }
      if (!a.spikes[0]) continue;
      for (size_t plane = 0; plane < planes; plane++) {
        a.spikes[plane][pixel * words + w] = packed[plane];
        fired += (size_t)__builtin_popcountll(packed[plane]) << plane;
      }
    }
  }
  return fired;
}

INLINE size_t sltt_neuron_forward_body(const sltt_neuron_forward_args *args, size_t first,
                                       size_t last) {
  return is_plain(&args->neurons) && !args->complement ? neuron_forward(args, 1, first, last)
                                                       : neuron_forward(args, 0, first, last);
}

VARIANTS(size_t, sltt_neuron_forward,
         (const sltt_neuron_forward_args *args, size_t first, size_t last),
         (args, first, last))

// The surrogate's value at z, for a `kind` known when compiling. An edge between the rectangles of two
// levels belongs to the lower one: `above` leaves the lower edge out.
#define SURROGATE(z, kind, width, above)                                               \
  ({                                                                                   \
    vfloat z_ = (z), value_;                                                           \
    vfloat magnitude_ = (vfloat)((vint)z_ & 0x7fffffff);                               \
    if ((kind) == SLTT_TRIANGLE) {                                                     \
      vfloat height_ = (width) - (width) * (width) * magnitude_;                       \
      value_ = KEEP(height_, height_ > 0);                                             \
    } else if ((kind) == SLTT_RECTANGLE) {                                             \
      vint inside_ = magnitude_ <= (width) / 2;                                        \
      if (above) inside_ &= z_ > -(width) / 2;                                         \
      value_ = KEEP(1 / (width), inside_);                                             \
    } else if ((kind) == SLTT_SIGMOID) {                                               \
      vfloat sigma_ = SIGMOID((width) * z_);                                           \
      value_ = (width) * sigma_ * (1 - sigma_);                                        \
    } else {                                                                           \
      vfloat scaled_ = 1.57079632679f * (width) * z_;                                  \
      value_ = (width) / 2 / (1 + scaled_ * scaled_);                                  \
    }                                                                                  \
    value_;                                                                            \
  })

// Returns what `function` does, with a surrogate that is known when compiling.
#define BY_SURROGATE(function)                                                         \
  switch (args->neurons.surrogate) {                                                   \
    case SLTT_TRIANGLE: return function(args, SLTT_TRIANGLE, first, last);             \
    case SLTT_RECTANGLE: return function(args, SLTT_RECTANGLE, first, last);           \
    case SLTT_SIGMOID: return function(args, SLTT_SIGMOID, first, last);               \
    default: return function(args, SLTT_ARCTAN, first, last);                          \
  }

// What stands for the derivative of the number of spikes at the potential u.
#define SLOPE(u, kind, neurons)                                                        \
  ({                                                                                   \
    vfloat above_least_ = (u) - (neurons).offset * (neurons).threshold;                \
    vfloat slope_ = SURROGATE(above_least_, kind, (neurons).width, 0);                 \
    for (size_t k_ = 1; k_ < (neurons).levels; k_++)                                   \
      slope_ += SURROGATE(above_least_ - k_ * (neurons).threshold, kind, (neurons).width, 1); \
    slope_;                                                                            \
  })

// The derivative of the potential after the reset with respect to the number of spikes, times -1.
#define RESET_BY_SPIKE(u, neurons)                                                     \
  ((neurons).detaches_reset ? (vfloat)0                                                \
   : (neurons).reset == SLTT_HARD_RESET ? (u) : (vfloat)(neurons).threshold)

// value, less those that a reset takes away whatever the spike's derivative.
#define PASS_RESET(value, u, neurons)                                                  \
  ((neurons).reset == SLTT_HARD_RESET                                                  \
       ? KEEP(value, (u) < (neurons).offset * (neurons).threshold) : (value))

// Sums over a few pixels at a time in registers' precision, then in double.
enum { BLOCK = 32, WIDEST = 4 };

// The pixels first ..< last at `chunks` times 16 channels from `c` on; a single chunk may be less than
// 16 channels.
INLINE double neuron_backward_chunks(const sltt_neuron_backward_args *args, sltt_surrogate kind,
                                     _Bool plain, size_t first, size_t last, size_t c,
                                     size_t chunks) {
  sltt_neuron_backward_args a = *args;
  const sltt_neurons neurons = known(a.neurons, plain);
  if (plain) {
    a.complement = NULL;
    a.complement_gradient_out = NULL;
    a.gains = NULL;
  }
  size_t words = words_of(a.channels), count = chunks > 1 ? LANES : a.channels - c;
  vfloat scale[WIDEST], mean[WIDEST], sum[WIDEST], product[WIDEST], decay_sum = 0;
  for (size_t k = 0; k < chunks; k++) {
    scale[k] = a.output_scale ? LOAD(a.output_scale + c + k * LANES, count) : (vfloat)1;
    mean[k] = a.mean ? LOAD(a.mean + c + k * LANES, count) : (vfloat)0;
    sum[k] = product[k] = 0;
  }
  for (size_t pixel = first; pixel < last; pixel++) {
    uint64_t kept = a.kept ? a.kept[pixel * words + c / 64] >> (c & 63) : 0;
    for (size_t k = 0; k < chunks; k++) {
      size_t at = pixel * a.channels + c + k * LANES;
      vfloat spike_gradient = LOAD(a.gradient + at, count);
      if (a.more_gradient) spike_gradient += LOAD(a.more_gradient + at, count);
      spike_gradient *= a.amplitude;
      if (a.kept)
        spike_gradient = KEEP(spike_gradient, MASK_OF_BITS((uint16_t)(kept >> (k * LANES))));
      vfloat g;
      if (a.gains) {
        g = spike_gradient * LOAD(a.gains + at, count);
      } else {
        vfloat u = LOAD(a.membrane + at, count), slope = SLOPE(u, kind, neurons);
        if (!a.membrane_gradient_in) {
          g = spike_gradient * slope;
          if (a.complement_gradient_out) STORE(a.complement_gradient_out + at, (vfloat)0, count);
        } else if (!a.complement) {
          vfloat later = LOAD(a.membrane_gradient_in + at, count);
          g = (spike_gradient - RESET_BY_SPIKE(u, neurons) * later) * slope +
              PASS_RESET(later, u, neurons);
        } else {
          // v[t] = u - threshold s (1 + sigma(m)), m[t] = m[t-1] sigma(u / tau) + s
          vfloat later = LOAD(a.membrane_gradient_in + at, count);
          vfloat strength = SIGMOID(LOAD(a.complement + at, count));
          vfloat memory = SIGMOID((1 - neurons.decay) * u);
          vfloat complement_gradient =
              LOAD(a.complement_gradient_in + at, count) -
              KEEP(neurons.threshold * later * strength * (1 - strength), u >= neurons.threshold);
          g = later + slope * (spike_gradient + complement_gradient -
                               neurons.threshold * later * (1 + strength));
          if (a.previous_complement)
            g += complement_gradient * LOAD(a.previous_complement + at, count) *
                 (1 - neurons.decay) * memory * (1 - memory);
          if (a.complement_gradient_out)
            STORE(a.complement_gradient_out + at, complement_gradient * memory, count);
        }
      }
      vfloat output = scale[k] * g;
      if (a.skip_gradient) output += LOAD(a.skip_gradient + at, count);
      STORE(a.gradient + at, output, count);
      if (a.rounded) STORE_ROUNDED(a.rounded + at, output, count);
      if (a.membrane_gradient_out) STORE(a.membrane_gradient_out + at, neurons.decay * g, count);
      if (a.sums) {
        sum[k] += g;
        product[k] += g * (a.centered ? LOAD_ROUNDED(a.centered + at, count)
                                      : LOAD(a.input + at, count) - mean[k]);
      }
      if (a.previous)
        decay_sum += g * RESET(LOAD(a.previous + at, count), neurons, a.previous_threshold);
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

INLINE double neuron_backward(const sltt_neuron_backward_args *args, sltt_surrogate kind,
                              size_t first, size_t last) {
  _Bool plain = is_plain(&args->neurons) && !args->complement && !args->gains;
  double decay_gradient = 0;
  for (size_t block = first; block < last; block += BLOCK) {
    size_t end = block + BLOCK < last ? block + BLOCK : last, c = 0;
    for (; plain && c + WIDEST * LANES <= args->channels; c += WIDEST * LANES)
      decay_gradient += neuron_backward_chunks(args, kind, 1, block, end, c, WIDEST);
    for (; c < args->channels; c += LANES)
      decay_gradient += neuron_backward_chunks(args, kind, 0, block, end, c, 1);
  }
  return decay_gradient;
}

INLINE double sltt_neuron_backward_body(const sltt_neuron_backward_args *args, size_t first,
                                        size_t last) {
  BY_SURROGATE(neuron_backward)
}

VARIANTS(double, sltt_neuron_backward,
         (const sltt_neuron_backward_args *args, size_t first, size_t last),
         (args, first, last))

INLINE void neuron_average(const sltt_neuron_average_args *args, sltt_surrogate kind, size_t first,
                           size_t last) {
  const sltt_neuron_average_args a = *args;
  const sltt_neurons neurons = a.neurons;
  for (size_t at = first; at < last; at += LANES) {
    size_t count = last - at;
    vfloat u = LOAD(a.membrane + at, count), slope = SLOPE(u, kind, neurons);
    vfloat eligibility = a.uniform_eligibility;
    if (a.eligibility) {
      eligibility = 1 + neurons.decay * LOAD(a.eligibility + at, count);
      vfloat after = PASS_RESET(eligibility, u, neurons) -
                     eligibility * slope * RESET_BY_SPIKE(u, neurons);
      STORE(a.eligibility + at, after, count);
    }
    vfloat gain = a.share * slope * eligibility;
    STORE(a.gains + at, LOAD(a.gains + at, count) + gain, count);
    vfloat spikes = a.spike_share * COUNT(u, neurons, neurons.threshold);
    STORE(a.spikes + at, LOAD(a.spikes + at, count) + spikes, count);
  }
}

INLINE void sltt_neuron_average_body(const sltt_neuron_average_args *args, size_t first,
                                     size_t last) {
  BY_SURROGATE(neuron_average)
}

VARIANTS(void, sltt_neuron_average,
         (const sltt_neuron_average_args *args, size_t first, size_t last),
         (args, first, last))
