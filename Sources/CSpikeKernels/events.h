// What the event-driven convolutions share.
#pragma once

#include "spike_kernels.h"
#include "vectors.h"

enum {
  TAPS = 9,
  BLOCK = 64,                    // input channels of a word
  ROWS = TAPS * BLOCK + 1,       // of packed weights, the last one 0
  ROW_BYTES = LANES * sizeof(float),
};

INLINE size_t input_blocks(const sltt_event_shape *s) { return (s->inputs + BLOCK - 1) / BLOCK; }
INLINE size_t output_blocks(const sltt_event_shape *s) { return (s->outputs + LANES - 1) / LANES; }

// Scratch memory of the weight gradient.
size_t sltt_event_gradient_scratch_bytes(void);
