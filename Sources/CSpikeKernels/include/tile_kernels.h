// Convolutions as products of tiles, matrices of 16 rows of 64 bytes, which Intel's AMX multiplies
// as a whole.
//
// A spike is 0 or 1, exact in int8. A real number is cut into two or three int8 parts of a fixed-
// point number whose unit is the channel's own; the products with each part are summed in int32,
// without rounding, so every engine computes the same bits. Three parts are as exact as float32.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "spike_kernels.h"

// What multiplies tiles. All but AMX are there for processors without it, and to check it.
typedef enum { SLTT_TILES_PLAIN, SLTT_TILES_AVX2, SLTT_TILES_VNNI, SLTT_TILES_AMX } sltt_tile_engine;

// Whether the processor has an engine, the system lets it be used, and SLTT_VECTORS allows it.
int sltt_has_tile_engine(sltt_tile_engine engine);

// What becomes of the processor's AMX.
typedef enum { SLTT_AMX_ABSENT, SLTT_AMX_USED, SLTT_AMX_LEFT_OUT, SLTT_AMX_REFUSED } sltt_amx_state;
sltt_amx_state sltt_amx(void);

// The error (errno) of a system that refuses AMX.
int sltt_amx_error(void);

// A convolution. Sizes in pixels.
typedef struct {
  size_t height, width, inputs;
  size_t output_height, output_width, outputs;
  size_t kernel, stride, padding;
  size_t parts;                  // of a real number: 2 or 3 int8 numbers, or up to 3 in bfloat16
  sltt_tile_engine engine;
} sltt_tile_shape;

// Columns of 16 output channels, an even number.
size_t sltt_tile_columns(const sltt_tile_shape *shape);

// Bytes of the packed weights.
size_t sltt_tile_packed_bytes(const sltt_tile_shape *shape);

// Packs weights: the columns first ..< last.
void sltt_tile_pack(const sltt_tile_shape *shape, const sltt_weights *weights, void *packed,
                    size_t first, size_t last);

// Rows of the output that threads can share: each has a few samples side by side.
size_t sltt_tile_rows(const sltt_tile_shape *shape, size_t samples);

// Bytes of scratch memory that a thread needs for the forward pass.
size_t sltt_tile_forward_scratch_bytes(const sltt_tile_shape *shape, size_t samples);

// output (+)= amplitude * spikes * weights + bias (or NULL), for the rows first ..< last.
void sltt_tile_forward(const sltt_tile_shape *shape, const uint64_t *spikes, size_t samples,
                       const void *packed, const float *bias, float amplitude, int accumulates,
                       float *output, void *scratch, size_t first, size_t last);

// The weights' gradient goes through the output in bands. Each channel of a band has its own unit, so
// that bands must not depend on the number of threads.
size_t sltt_tile_bands(const sltt_tile_shape *shape, size_t samples);

// Bytes of what is prepared of so many bands.
size_t sltt_tile_prepared_bytes(const sltt_tile_shape *shape, size_t samples, size_t bands);

// Parts of the preparation of a band that threads can share.
size_t sltt_tile_preparations(const sltt_tile_shape *shape);

// Prepares the bands first_band ..< first_band + bands: the parts first ..< last of all of them.
void sltt_tile_prepare(const sltt_tile_shape *shape, const uint64_t *spikes,
                       const float *output_gradient, size_t samples, size_t first_band,
                       size_t bands, void *prepared, size_t first, size_t last);

// Blocks of the weights' gradient that threads can share.
size_t sltt_tile_gradient_blocks(const sltt_tile_shape *shape);

// Bytes of scratch memory that a thread needs for the weights' gradient.
size_t sltt_tile_gradient_scratch_bytes(const sltt_tile_shape *shape, size_t samples);

// gradient[kernel, kernel, inputs, outputs] += amplitude * the weights' gradient of prepared bands,
// and bias_gradient[outputs] += the sum of the output's gradient, if not NULL: the blocks first ..<
// last.
void sltt_tile_weight_gradient(const sltt_tile_shape *shape, size_t samples, size_t first_band,
                               size_t bands, const void *prepared, float amplitude,
                               float *gradient, float *bias_gradient, void *scratch, size_t first,
                               size_t last);

// The gradient of the input has real numbers on both sides: they are cut into bfloat16 parts, of
// which the products that count are summed in single precision: one of one part each, three of two,
// six of three. Three parts are as exact as float32.

// Whether there is a kernel: where no window lies in the padding alone.
int sltt_tile_has_input_gradient(const sltt_tile_shape *shape);

// Pairs of columns of 16 input channels.
size_t sltt_tile_input_pairs(const sltt_tile_shape *shape);

// Bytes of the packed weights of a pair.
size_t sltt_tile_transposed_bytes(const sltt_tile_shape *shape);

// Packs weights for it: the pairs first ..< last; `packed` begins with the pair `slice`.
void sltt_tile_transpose(const sltt_tile_shape *shape, const sltt_weights *weights, size_t slice,
                         void *packed, size_t first, size_t last);

// Rows that threads can share.
size_t sltt_tile_input_rows(const sltt_tile_shape *shape, size_t samples);

// Bytes of scratch memory that a thread needs.
size_t sltt_tile_input_scratch_bytes(const sltt_tile_shape *shape, size_t samples);

// input_gradient = the gradient of the input, for the rows first ..< last and the pairs first_pair
// ..< last_pair, with whose weights `packed` begins. Where there is one part, `rounded` may be the
// output's gradient in bfloat16, else it is NULL.
void sltt_tile_input_gradient(const sltt_tile_shape *shape, const float *output_gradient,
                              const uint16_t *rounded, size_t samples, size_t first_pair,
                              size_t last_pair, const void *packed, float *input_gradient,
                              void *scratch, size_t first, size_t last);
