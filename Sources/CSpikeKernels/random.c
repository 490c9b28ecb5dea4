#include "spike_kernels.h"
#include "variants.h"
#include "vectors.h"

typedef uint64_t vlong __attribute__((ext_vector_type(16)));

// Bit i of 16 goes to bit 4 i.
INLINE uint64_t spread(uint64_t bits) {
  bits = (bits | bits << 24) & 0x000000ff000000ff;
  bits = (bits | bits << 12) & 0x000f000f000f000f;
  bits = (bits | bits << 6) & 0x0303030303030303;
  return (bits | bits << 3) & 0x1111111111111111;
}

// Philox4x32-10 (Salmon et al., SC 2011) of 16 counters at a time.
INLINE void sltt_random_bits_body(const sltt_random_stream *stream, uint32_t bound,
                                  uint64_t *bits, size_t words) {
  for (size_t w = 0; w < words; w++) {
    vuint c0, c1, c2, c3;
    for (uint32_t i = 0; i < LANES; i++) c0[i] = (uint32_t)w * LANES + i;
    c1 = stream->counter[0];
    c2 = stream->counter[1];
    c3 = stream->counter[2];
    uint32_t k0 = stream->key[0], k1 = stream->key[1];
    for (int round = 0; round < 10; round++) {
      vlong low = __builtin_convertvector(c0, vlong) * 0xd2511f53;
      vlong high = __builtin_convertvector(c2, vlong) * 0xcd9e8d57;
      c0 = __builtin_convertvector(high >> 32, vuint) ^ c1 ^ k0;
      c2 = __builtin_convertvector(low >> 32, vuint) ^ c3 ^ k1;
      c1 = __builtin_convertvector(high, vuint);
      c3 = __builtin_convertvector(low, vuint);
      k0 += 0x9e3779b9;
      k1 += 0xbb67ae85;
    }
    vint is_below[4] = {c0 >> 8 < bound, c1 >> 8 < bound, c2 >> 8 < bound, c3 >> 8 < bound};
    uint64_t word = 0;
    for (int i = 0; i < 4; i++) word |= spread(BITS_OF_MASK(is_below[i])) << i;
    bits[w] = word;
  }
}

VARIANTS(void, sltt_random_bits,
         (const sltt_random_stream *stream, uint32_t bound, uint64_t *bits, size_t words),
         (stream, bound, bits, words))
