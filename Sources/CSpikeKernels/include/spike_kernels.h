// Loops over bit-packed spikes, where vector code measurably wins over what Swift compiles to.
// Each has a plain Swift reference in Tests/TensorsTests.
//
// Layout: values are NHWC, so a pixel is `channels` consecutive floats; the spikes of a pixel are
// ceil(channels / 64) words, channel c being bit c % 64 of word c / 64, unused bits 0.
// Functions with `first` and `last` work on the pixels first ..< last, so that threads can share the work.
#pragma once

#include <stddef.h>
#include <stdint.h>

// The instructions that the kernels use: amx (and avx512), avx512, avx2 or any. SLTT_VECTORS in the
// environment makes do with less than the processor has; other values do nothing.
const char *sltt_vectors(void);

// Whether the calling thread takes denormal numbers for 0, as all do since the program was loaded: with
// them an addition can take a hundred times as long on some processors, and gradients behind gains near
// 0 are full of them.
int sltt_flushes_denormals(void);

typedef enum { SLTT_TRIANGLE, SLTT_RECTANGLE, SLTT_SIGMOID, SLTT_ARCTAN } sltt_surrogate;
typedef enum { SLTT_SOFT_RESET, SLTT_HARD_RESET } sltt_reset;

// Bit planes of the spikes of a layer, for 15 levels.
enum { SLTT_MOST_PLANES = 4 };

// What the neurons of a layer have in common. One with the membrane potential u fires as many spikes as
// there are k from 0 ..< levels with u >= (offset + k) threshold.
typedef struct {
  float decay, threshold, offset;
  size_t levels;
  sltt_reset reset;
  int detaches_reset;            // no gradient through the spikes of the reset
  sltt_surrogate surrogate;
  float width;
} sltt_neurons;

typedef struct {
  size_t channels;
  const float *input;            // x, or NULL where u[t] is there already
  const float *scale, *shift;    // per channel: the input current is scale * x + shift
  const float *previous;         // u[t-1], or NULL at the first time step
  float previous_threshold;
  const float *mean;             // per channel, for `centered`
  uint16_t *centered;            // x - mean in bfloat16, or NULL
  float *membrane;               // u[t], before the reset; may be `previous`
  const float *previous_complement;  // m[t-1] of complementary neurons, or NULL
  float *complement;             // m[t]; may be `previous_complement`; NULL for other neurons
  size_t planes;
  uint64_t *spikes[SLTT_MOST_PLANES];  // s[t], plane p worth 2^p; the first one NULL: do not fire
  sltt_neurons neurons;
} sltt_neuron_forward_args;

// Reset of the time step before, charge, fire, pack. Returns the number of spikes.
size_t sltt_neuron_forward(const sltt_neuron_forward_args *args, size_t first, size_t last);

typedef struct {
  size_t channels;
  const float *membrane;         // u[t]
  const float *gains;            // what dL/ds is multiplied by, instead of all that follows from u[t]
  const uint64_t *kept;          // the spikes that dropout lets pass, or NULL for all
  float *gradient;               // in: dL/d(amplitude * kept s[t]); out: output_scale * dL/du[t]
  const float *more_gradient;    // added to what comes in, or NULL
  const float *skip_gradient;    // added to what goes out, or NULL
  uint16_t *rounded;             // what goes out, in bfloat16 as well, or NULL
  const float *output_scale;     // per channel, or NULL for 1
  const float *membrane_gradient_in;  // dL/dv[t], or NULL for 0
  float *membrane_gradient_out;  // dL/dv[t-1], or NULL; may be membrane_gradient_in
  const float *complement;       // m[t] of complementary neurons, or NULL
  const float *previous_complement;   // m[t-1], or NULL for 0
  const float *complement_gradient_in;  // dL/dm[t], where there is dL/dv[t]
  float *complement_gradient_out;     // dL/dm[t-1], or NULL; may be complement_gradient_in
  const float *input, *mean;     // x, for per-channel sums of dL/du * (x - mean)
  const uint16_t *centered;      // x - mean in bfloat16, instead of the two
  double *sums;                  // [2 * channels], += sum dL/du, sum dL/du * (input - mean), or NULL
  const float *previous;         // u[t-1], for the gradient of the decay, or NULL
  float previous_threshold;
  float amplitude;
  sltt_neurons neurons;
} sltt_neuron_backward_args;

// Returns the sum of dL/du[t] * v[t-1], the gradient of the decay (0 without `previous`).
double sltt_neuron_backward(const sltt_neuron_backward_args *args, size_t first, size_t last);

typedef struct {
  const float *membrane;         // u[t]
  float *eligibility;            // dv[t-1]/dx in, dv[t]/dx out, for a constant x
  float uniform_eligibility;     // du[t]/dx, where `eligibility` is NULL
  float *gains;                  // += share * ds[t]/dx
  float *spikes;                 // += spike_share * s[t]
  float share, spike_share;
  sltt_neurons neurons;
} sltt_neuron_average_args;

// Adds a time step to averages over time, for the elements first ..< last.
void sltt_neuron_average(const sltt_neuron_average_args *args, size_t first, size_t last);

// values = amplitude where a spike is, else 0.
void sltt_unpack(const uint64_t *spikes, float *values, size_t channels, float amplitude,
                 size_t first, size_t last);

// The same in bfloat16.
void sltt_unpack_rounded(const uint64_t *spikes, uint16_t *values, size_t channels,
                         float amplitude, size_t first, size_t last);

// rounded[i] = values[i] in bfloat16, for i from first to last.
void sltt_round(const float *values, uint16_t *rounded, size_t first, size_t last);

// Spikes where values are not 0.
void sltt_mark(const float *values, uint64_t *spikes, size_t channels, size_t first, size_t last);

// values = decay * values, plus amplitude where a spike is.
void sltt_add_spikes(const uint64_t *spikes, float *values, size_t channels, float amplitude,
                     float decay, size_t first, size_t last);

// Average pooling, or its transpose. Sizes in pixels.
typedef struct {
  uint32_t first, last;          // first ..< last
} sltt_span;

typedef struct {
  size_t channels;
  size_t height, width;
  size_t output_height, output_width;
  const sltt_span *rows, *columns;  // the input pixels that each output pixel covers
  // Their product is an input pixel's share of an output pixel; of each output pixel, or of each
  // input pixel where transposed.
  const float *row_weights, *column_weights;
  int is_transposed;
} sltt_pooling;

// output = sums of the shares, for the output rows first ..< last of all samples.
void sltt_pool(const sltt_pooling *pooling, const float *input, float *output, size_t first,
               size_t last);

// The same for spikes, of which bits are counted; not transposed.
void sltt_pool_spikes(const sltt_pooling *pooling, const uint64_t *spikes, float amplitude,
                      float *output, size_t first, size_t last);

typedef struct {
  uint32_t key[2];
  uint32_t counter[3];           // of the blocks' counters, all but the first, which counts them
} sltt_random_stream;

// Bit i of word w says whether number 64 w + i of the stream has upper 24 bits below `bound`.
void sltt_random_bits(const sltt_random_stream *stream, uint32_t bound, uint64_t *bits,
                      size_t words);

// sums[c] += sum (x - pivot), sums[channels + c] += sum (x - pivot)^2, per channel.
void sltt_channel_moments(const float *values, const float *pivot, double *sums, size_t channels,
                          size_t first, size_t last);

// sums[c] += sum g, sums[channels + c] += sum g * (x - mean), per channel.
void sltt_channel_products(const float *gradient, const float *values, const float *mean,
                           double *sums, size_t channels, size_t first, size_t last);

// gradient = a * gradient + b * x + c, with a, b, c per channel, and x in single precision or, if
// rounded_values is not NULL, in bfloat16; rounded: the result in bfloat16 as well, or NULL.
void sltt_combine(float *gradient, uint16_t *rounded, const float *values,
                  const uint16_t *rounded_values, const float *a, const float *b, const float *c,
                  size_t channels, size_t first, size_t last);

// The weights of a convolution [kernel, kernel, inputs, outputs]: values, times the scale and plus the
// shift of their output channel; as they are where scale is NULL.
typedef struct {
  const float *values, *scale, *shift;
} sltt_weights;

// A 3x3 convolution with padding 1 of spikes. Sizes in pixels.
typedef struct {
  size_t height, width, inputs;
  size_t output_height, output_width, outputs;
  size_t stride;
  int rounds_weights;            // to bfloat16, in the forward pass
} sltt_event_shape;

// Floats of the packed weights: for each 64 input and 16 output channels, 577 rows of 16, row
// tap * 64 + input channel, the last row being 0. Rounded weights lie in pairs in place of floats, of
// output channels c and 16 + c.
size_t sltt_event_packed_count(const sltt_event_shape *shape);

// Packs weights: the blocks first ..< last of 64 input channels.
void sltt_event_pack(const sltt_event_shape *shape, const sltt_weights *weights, float *packed,
                     size_t first, size_t last);

// Bytes of scratch memory that a thread needs for the forward pass of so many pixels.
size_t sltt_event_forward_scratch_bytes(size_t pixels);

// output (+)= amplitude * spikes * weights + bias, for the output pixels first ..< last of all
// samples. Float additions of the weights under spikes; zeros cost nothing.
void sltt_event_forward(const sltt_event_shape *shape, const uint64_t *spikes,
                        const float *packed, const float *bias, float amplitude, int accumulates,
                        float *output, void *scratch, size_t first, size_t last);

// The widest output, in pixels, that the weight gradient can take.
size_t sltt_event_widest_output(void);

// Blocks of 64 input channels and of 16 output channels.
size_t sltt_event_input_blocks(const sltt_event_shape *shape);
size_t sltt_event_output_blocks(const sltt_event_shape *shape);

// Bytes of scratch memory that a thread needs for the weights' gradient of so many blocks of input
// channels.
size_t sltt_event_gradient_scratch_bytes(const sltt_event_shape *shape, size_t blocks,
                                         int with_values);

// gradient[3, 3, inputs, outputs] += amplitude * the weights' gradient for spikes or, if not NULL, for the
// values of the elements with a spike, for the samples
// first ..< last, the blocks first_block ..< last_block of 64 input channels and the blocks
// first_column ..< last_column of 16 output channels; with input block 0, also
// bias_gradient[outputs] += the sum of the output's gradient, if not NULL.
void sltt_event_weight_gradient(const sltt_event_shape *shape, const uint64_t *spikes,
                                const float *values, const float *output_gradient, float amplitude,
                                float *gradient, float *bias_gradient, void *scratch, size_t first,
                                size_t last, size_t first_block, size_t last_block,
                                size_t first_column, size_t last_column);

// A dense 3x3 convolution with stride 1 and padding 1 by Winograd's method: tiles of 4x4 outputs, of 36
// products an input and output channel where direct convolution takes 144. Sizes in pixels.
typedef struct {
  size_t height, width, inputs, outputs;
} sltt_winograd_shape;

enum {
  SLTT_WINOGRAD_POINTS = 36,    // products of a tile, for an input and an output channel
  SLTT_WINOGRAD_GROUP = 64,     // outputs whose weights lie together
  SLTT_WINOGRAD_LANES = 16,     // inputs whose weights are transformed together
  SLTT_WINOGRAD_ROWS = 6,       // tiles whose products stay in registers
  SLTT_WINOGRAD_PRODUCTS = 30,  // tiles whose products with a group stay in the cache
  SLTT_WINOGRAD_BLOCK = 48,     // tiles whose products are summed at a time, for the weights' gradient
};

// Tiles of all samples.
size_t sltt_winograd_tiles(const sltt_winograd_shape *shape, size_t samples);

// Groups of outputs.
size_t sltt_winograd_groups(const sltt_winograd_shape *shape);

// Floats of a group's transformed weights, or of the sums of their gradients.
size_t sltt_winograd_weight_count(const sltt_winograd_shape *shape);

// Floats of the transformed inputs of a block of tiles, laid out for a convolution of few tiles or not.
size_t sltt_winograd_input_count(const sltt_winograd_shape *shape, size_t tiles, int few);

// Floats of scratch memory that a thread needs to multiply so many tiles.
size_t sltt_winograd_product_count(size_t tiles);

// Transforms the weights, or, for the gradient of the input, those of the transposed convolution
// [3, 3, outputs, inputs], of a group: the inputs SLTT_WINOGRAD_LANES * first
// ..< SLTT_WINOGRAD_LANES * last.
void sltt_winograd_transform_weights(const sltt_winograd_shape *shape,
                                     const sltt_weights *weights, int transposed, size_t group,
                                     float *transformed, size_t first, size_t last);

// Transforms the inputs of the tiles block + (first ..< last), for a block of `tiles`, as a convolution of
// `few` tiles reads them or as all else does.
void sltt_winograd_transform_input(const sltt_winograd_shape *shape, const float *input,
                                   size_t block, size_t tiles, int few, float *transformed,
                                   size_t first, size_t last);

// output (+)= input * weights + bias (or NULL), for the tiles block + (first ..< last) and a group.
void sltt_winograd_multiply(const sltt_winograd_shape *shape, const float *inputs, size_t block,
                            size_t tiles, const float *weights, size_t group, const float *bias,
                            int accumulates, float *output, float *products, size_t first,
                            size_t last);

// Floats of scratch memory that a thread needs for a convolution of few tiles.
size_t sltt_winograd_few_count(size_t tiles);

// output (+)= input * weights + bias (or NULL), for a group and the tiles first ..< last of a block of all
// `tiles`, whose inputs are transformed. The weights are transformed a few
// at a time, so that they stay in the cache: of so few tiles they are the greater part of the memory.
void sltt_winograd_convolve_few(const sltt_winograd_shape *shape, const float *inputs, size_t tiles,
                                const sltt_weights *weights, int transposed, size_t group,
                                const float *bias, int accumulates, float *output, float *room,
                                size_t first, size_t last);

// Floats of the transformed gradients of the output, of a group and SLTT_WINOGRAD_BLOCK tiles.
size_t sltt_winograd_gradient_count(void);

// The weights' gradient takes the sums over blocks of at most SLTT_WINOGRAD_BLOCK tiles of the products of
// transformed inputs with transformed gradients. Transforms those of the tiles
// block + (first ..< last), of a group;
void sltt_winograd_transform_gradient(const sltt_winograd_shape *shape,
                                      const float *output_gradient, size_t group, size_t block,
                                      float *transformed, size_t first, size_t last);

// sums (+)= a block's products, for parts first ..< last of groups side by side, of
// SLTT_WINOGRAD_POINTS parts each;
void sltt_winograd_add_products(const sltt_winograd_shape *shape, const float *inputs,
                                const float *gradients, size_t tiles, int adds, float *sums,
                                size_t first, size_t last);

// weight_gradient[3, 3, inputs, outputs] += what a group's sums say, for the inputs first ..< last.
void sltt_winograd_weight_gradient(const sltt_winograd_shape *shape, const float *sums,
                                   size_t group, float *weight_gradient, size_t first, size_t last);

// The instruction set for which the functions above were chosen on this CPU.
const char *sltt_instruction_set(void);
