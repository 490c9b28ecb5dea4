// Sixteen lanes in the compiler's portable vector notation: one AVX-512 register, two of AVX2,
// four of SSE or NEON.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 16 };

typedef float vfloat __attribute__((ext_vector_type(16)));
typedef int32_t vint __attribute__((ext_vector_type(16)));
typedef uint32_t vuint __attribute__((ext_vector_type(16)));
typedef uint16_t vhalf __attribute__((ext_vector_type(16)));
typedef _Bool vmask __attribute__((ext_vector_type(16)));

// Clang forbids passing such vectors to functions that are compiled for another instruction set, even
// to inlined ones: hence macros.

// `count` lanes of memory (the rest 0): all 16, but at a pixel's end.
#define LOAD(pointer, count)                                     \
  ({                                                             \
    const float *p_ = (pointer);                                 \
    size_t count_ = (count);                                     \
    vfloat v_ = 0;                                               \
    if (__builtin_expect(count_ >= LANES, 1)) {                  \
      memcpy(&v_, p_, sizeof v_);                                \
    } else {                                                     \
      for (size_t i_ = 0; i_ < count_; i_++) v_[i_] = p_[i_];    \
    }                                                            \
    v_;                                                          \
  })

#define STORE(pointer, value, count)                             \
  ({                                                             \
    float *p_ = (pointer);                                       \
    vfloat v_ = (value);                                         \
    size_t count_ = (count);                                     \
    if (__builtin_expect(count_ >= LANES, 1)) {                  \
      memcpy(p_, &v_, sizeof v_);                                \
    } else {                                                     \
      for (size_t i_ = 0; i_ < count_; i_++) p_[i_] = v_[i_];    \
    }                                                            \
  })

// Stores `count` lanes rounded to bfloat16, to the nearest, ties to even; NaN stays NaN, a quiet one,
// whose lower half must not carry into its exponent.
#define STORE_ROUNDED(pointer, value, count)                                              \
  ({                                                                                      \
    uint16_t *to_ = (pointer);                                                            \
    vfloat v_ = (value);                                                                  \
    vuint u_ = (vuint)v_, nan_ = (vuint)(v_ != v_);                                       \
    vuint nearest_ = (u_ + 0x7fff + (u_ >> 16 & 1)) >> 16, quiet_ = u_ >> 16 | 0x40;      \
    vhalf h_ = __builtin_convertvector((nearest_ & ~nan_) | (quiet_ & nan_), vhalf);      \
    size_t count_ = (count);                                                              \
    if (__builtin_expect(count_ >= LANES, 1)) {                                           \
      memcpy(to_, &h_, sizeof h_);                                                        \
    } else {                                                                              \
      for (size_t i_ = 0; i_ < count_; i_++) to_[i_] = h_[i_];                            \
    }                                                                                     \
  })

// `count` lanes of bfloat16 numbers.
#define LOAD_ROUNDED(pointer, count)                                                      \
  ({                                                                                      \
    const uint16_t *from_ = (pointer);                                                    \
    vhalf h_ = 0;                                                                         \
    size_t count_ = (count);                                                              \
    if (__builtin_expect(count_ >= LANES, 1)) {                                           \
      memcpy(&h_, from_, sizeof h_);                                                      \
    } else {                                                                              \
      for (size_t i_ = 0; i_ < count_; i_++) h_[i_] = from_[i_];                          \
    }                                                                                     \
    (vfloat)(__builtin_convertvector(h_, vuint) << 16);                                   \
  })

// The weights of `count` output channels from `c` on (the rest 0), in a row of `outputs`.
#define LOAD_WEIGHTS(weights, row, outputs, c, count)                                              \
  ({                                                                                               \
    const sltt_weights *w_ = (weights);                                                            \
    size_t at_ = (c), left_ = (count);                                                             \
    vfloat value_ = LOAD(w_->values + (row) * (outputs) + at_, left_);                             \
    if (w_->scale) value_ = value_ * LOAD(w_->scale + at_, left_) + LOAD(w_->shift + at_, left_);  \
    value_;                                                                                        \
  })

// All ones in the lanes whose bit is set.
#define MASK_OF_BITS(bits)                                       \
  ({                                                             \
    uint16_t bits_ = (bits);                                     \
    vmask mask_;                                                 \
    memcpy(&mask_, &bits_, sizeof bits_);                        \
    -__builtin_convertvector(mask_, vint);                       \
  })

#define BITS_OF_MASK(mask)                                       \
  ({                                                             \
    vmask mask_ = __builtin_convertvector((mask), vmask);        \
    uint16_t bits_;                                              \
    memcpy(&bits_, &mask_, sizeof bits_);                        \
    bits_;                                                       \
  })

// value where the mask is set, else 0.
#define KEEP(value, mask) ((vfloat)((vint)(vfloat)(value) & (mask)))

// e to the power of x, within 2 units in the last place; where that is no normal number, about the nearest
// one. By powers of 2, and Taylor's series with coefficients for the interval that is left.
#define EXP(x)                                                                                \
  ({                                                                                          \
    vfloat t_ = (x);                                                                          \
    vint small_ = t_ < -87, large_ = t_ > 88;                                                 \
    t_ = KEEP(t_, ~(small_ | large_)) + KEEP((vfloat)-87, small_) + KEEP((vfloat)88, large_); \
    vfloat shifted_ = t_ * 1.44269504f + 12582912.0f, power_ = shifted_ - 12582912.0f;        \
    vfloat r_ = t_ - power_ * 0.693359375f + power_ * 2.12194440e-4f;                         \
    vfloat p_ = 1.9875691500e-4f * r_ + 1.3981999507e-3f;                                     \
    p_ = p_ * r_ + 8.3334519073e-3f;                                                          \
    p_ = p_ * r_ + 4.1665795894e-2f;                                                          \
    p_ = p_ * r_ + 1.6666665459e-1f;                                                          \
    p_ = p_ * r_ + 5.0000001201e-1f;                                                          \
    p_ = p_ * r_ * r_ + r_ + 1;                                                               \
    p_ * (vfloat)(((vint)shifted_ - 0x4b400000 + 127) << 23);                                 \
  })

INLINE size_t words_of(size_t channels) { return (channels + 63) / 64; }
