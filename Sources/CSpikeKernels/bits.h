// Bits of spikes as bytes, and turned around: from words of channels, pixel by pixel, to words of
// pixels, channel by channel.
#pragma once

#include "vectors.h"

typedef uint64_t word_vector __attribute__((ext_vector_type(8)));
typedef uint8_t byte_vector __attribute__((ext_vector_type(8)));
typedef int8_t signed_bytes __attribute__((ext_vector_type(64)));
typedef _Bool bit_vector __attribute__((ext_vector_type(64)));

// Bit j of to[i * step] = bit i of from[j], for 64 words of 64 bits.
INLINE void transpose_bits(const uint64_t *from, uint64_t *to, size_t step) {
  for (size_t byte = 0; byte < 8; byte++) {
    uint8_t gathered[64];
    for (size_t i = 0; i < 8; i++) {
      word_vector pixels;
      memcpy(&pixels, from + 8 * i, sizeof pixels);
      byte_vector bytes = __builtin_convertvector(pixels >> (8 * byte), byte_vector);
      memcpy(gathered + 8 * i, &bytes, sizeof bytes);
    }
    signed_bytes top;
    memcpy(&top, gathered, sizeof top);
    for (size_t bit = 8; bit-- > 0;) {
      bit_vector set = __builtin_convertvector(top < 0, bit_vector);
      memcpy(to + (8 * byte + bit) * step, &set, sizeof(uint64_t));
      top += top;
    }
  }
}

typedef uint8_t bit_bytes __attribute__((ext_vector_type(64)));

// Writes the 64 bits of a word as bytes that are 0 or 1.
#define UNPACK_BITS(to, word)                                      \
  ({                                                               \
    uint64_t word_ = (word);                                       \
    bit_vector bits_;                                              \
    memcpy(&bits_, &word_, sizeof word_);                          \
    bit_bytes bytes_ = __builtin_convertvector(bits_, bit_bytes);  \
    memcpy((to), &bytes_, sizeof bytes_);                          \
  })
