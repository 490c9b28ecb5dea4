// oneDNN 2 (Debian 12) and oneDNN 3 (later) differ in how primitives are described and in whether a
// memory descriptor is a struct or a handle. These functions are the part that differs.
#pragma once

#include <oneapi/dnnl/dnnl.h>

typedef enum { SLTT_FORWARD, SLTT_BACKWARD_DATA, SLTT_BACKWARD_WEIGHTS } sltt_dnnl_direction;

// A 2-D convolution over NHWC images. Strides and paddings are {vertical, horizontal}.
typedef struct {
  dnnl_dims_t input, weights, bias, output;  // NCHW, OIHW, O, NCHW
  dnnl_dims_t strides, padding;
  int has_bias;
  int accumulates;  // forward only: adds to the output
  int is_mixed;     // operands in bfloat16, results in single precision
} sltt_dnnl_convolution;

static inline sltt_dnnl_convolution sltt_dnnl_convolution_shape(
    int64_t samples, int64_t input_channels, int64_t input_height, int64_t input_width,
    int64_t output_channels, int64_t output_height, int64_t output_width, int64_t kernel,
    int64_t stride, int64_t padding, int has_bias, int accumulates,
    int is_mixed) {
  sltt_dnnl_convolution shape = {
      .input = {samples, input_channels, input_height, input_width},
      .weights = {output_channels, input_channels, kernel, kernel},
      .bias = {output_channels},
      .output = {samples, output_channels, output_height, output_width},
      .strides = {stride, stride},
      .padding = {padding, padding},
      .has_bias = has_bias,
      .accumulates = accumulates,
      .is_mixed = is_mixed,
  };
  return shape;
}

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t sltt_dnnl_layout;
#else
typedef const dnnl_memory_desc_t *sltt_dnnl_layout;
#endif

// The attributes of a primitive: whether it adds to its output, and whose its scratch memory is.
static inline dnnl_status_t sltt_dnnl_attributes(int accumulates, dnnl_scratchpad_mode_t mode,
                                                 dnnl_primitive_attr_t *attr) {
  dnnl_status_t status = dnnl_primitive_attr_create(attr);
  if (status == dnnl_success) status = dnnl_primitive_attr_set_scratchpad_mode(*attr, mode);
  if (status != dnnl_success || !accumulates) return status;
  dnnl_post_ops_t operations;
  status = dnnl_post_ops_create(&operations);
  if (status == dnnl_success) {
#if DNNL_VERSION_MAJOR >= 3
    status = dnnl_post_ops_append_sum(operations, 1, 0, dnnl_data_type_undef);
#else
    status = dnnl_post_ops_append_sum(operations, 1);
#endif
    if (status == dnnl_success) status = dnnl_primitive_attr_set_post_ops(*attr, operations);
    dnnl_post_ops_destroy(operations);
  }
  return status;
}

// Leaves the layout of the weights to oneDNN, with one exception: of strided 1x1 kernels with fewer
// input channels than fit into a vector, the weight gradient that oneDNN prefers to compute writes
// past its workspace (oneDNN issue 6035, in 2.6 as in 3.2). With our own layout it computes the
// gradient another way.
static inline dnnl_format_tag_t sltt_dnnl_weights_tag(const sltt_dnnl_convolution *shape,
                                                      sltt_dnnl_direction direction) {
  const int overruns = direction == SLTT_BACKWARD_WEIGHTS && shape->weights[2] == 1 &&
                       shape->strides[0] > 1 && shape->weights[1] < 16;
  return overruns ? dnnl_hwio : dnnl_format_tag_any;
}

static inline int sltt_dnnl_has_bfloat16(void) {
  const int needed = dnnl_cpu_isa_avx512_core_bf16;
  return (dnnl_get_effective_cpu_isa() & needed) == needed;
}

// Describes the primitive. It is given its scratch memory at each execution: oneDNN's own would belong to
// the thread that creates the primitive.
static inline dnnl_status_t sltt_dnnl_describe_convolution(
    const sltt_dnnl_convolution *shape, sltt_dnnl_direction direction, dnnl_engine_t engine,
    dnnl_primitive_desc_t *description) {
  dnnl_primitive_attr_t attr;
  dnnl_status_t status = sltt_dnnl_attributes(shape->accumulates, dnnl_scratchpad_mode_user, &attr);
  if (status != dnnl_success) return status;
  const dnnl_format_tag_t weights_tag = sltt_dnnl_weights_tag(shape, direction);
  const dnnl_data_type_t operand = shape->is_mixed ? dnnl_bf16 : dnnl_f32;
  const dnnl_data_type_t x_type = direction == SLTT_BACKWARD_DATA ? dnnl_f32 : operand;
  const dnnl_data_type_t w_type = direction == SLTT_BACKWARD_WEIGHTS ? dnnl_f32 : operand;
  const dnnl_data_type_t y_type = direction == SLTT_FORWARD ? dnnl_f32 : operand;
#if DNNL_VERSION_MAJOR >= 3
  // What fails to be described stays NULL, which the convolution refuses.
  dnnl_memory_desc_t x = NULL, w = NULL, b = NULL, y = NULL;
  dnnl_memory_desc_create_with_tag(&x, 4, shape->input, x_type, dnnl_nhwc);
  dnnl_memory_desc_create_with_tag(&w, 4, shape->weights, w_type, weights_tag);
  dnnl_memory_desc_create_with_tag(&y, 4, shape->output, y_type, dnnl_nhwc);
  if (shape->has_bias) dnnl_memory_desc_create_with_tag(&b, 1, shape->bias, dnnl_f32, dnnl_a);
  if (direction == SLTT_FORWARD)
    status = dnnl_convolution_forward_primitive_desc_create(
        description, engine, dnnl_forward_training, dnnl_convolution_direct, x, w, b, y,
        shape->strides, NULL, shape->padding, shape->padding, attr);
  else if (direction == SLTT_BACKWARD_DATA)
    status = dnnl_convolution_backward_data_primitive_desc_create(
        description, engine, dnnl_convolution_direct, x, w, y, shape->strides, NULL,
        shape->padding, shape->padding, NULL, attr);
  else
    status = dnnl_convolution_backward_weights_primitive_desc_create(
        description, engine, dnnl_convolution_direct, x, w, b, y, shape->strides, NULL,
        shape->padding, shape->padding, NULL, attr);
  dnnl_memory_desc_destroy(x);
  dnnl_memory_desc_destroy(w);
  dnnl_memory_desc_destroy(y);
  dnnl_memory_desc_destroy(b);
#else
  dnnl_memory_desc_t x, w, b, y;
  dnnl_memory_desc_init_by_tag(&x, 4, shape->input, x_type, dnnl_nhwc);
  dnnl_memory_desc_init_by_tag(&w, 4, shape->weights, w_type, weights_tag);
  dnnl_memory_desc_init_by_tag(&y, 4, shape->output, y_type, dnnl_nhwc);
  dnnl_memory_desc_init_by_tag(&b, 1, shape->bias, dnnl_f32, dnnl_a);
  const dnnl_memory_desc_t *bias = shape->has_bias ? &b : NULL;
  dnnl_convolution_desc_t operation;
  if (direction == SLTT_FORWARD)
    status = dnnl_convolution_forward_desc_init(
        &operation, dnnl_forward_training, dnnl_convolution_direct, &x, &w, bias, &y,
        shape->strides, shape->padding, shape->padding);
  else if (direction == SLTT_BACKWARD_DATA)
    status = dnnl_convolution_backward_data_desc_init(
        &operation, dnnl_convolution_direct, &x, &w, &y, shape->strides, shape->padding,
        shape->padding);
  else
    status = dnnl_convolution_backward_weights_desc_init(
        &operation, dnnl_convolution_direct, &x, &w, bias, &y, shape->strides,
        shape->padding, shape->padding);
  if (status == dnnl_success)
    status = dnnl_primitive_desc_create(description, &operation, attr, engine, NULL);
#endif
  dnnl_primitive_attr_destroy(attr);
  return status;
}

// How the arguments of a convolution are called in one direction.
typedef struct {
  dnnl_query_t input_query, weights_query, output_query;
  int input, weights, bias, output;
} sltt_dnnl_arguments;

static inline sltt_dnnl_arguments sltt_dnnl_arguments_of(sltt_dnnl_direction direction) {
  sltt_dnnl_arguments names = {
      dnnl_query_src_md, dnnl_query_weights_md, dnnl_query_dst_md,
      DNNL_ARG_SRC,      DNNL_ARG_WEIGHTS,      DNNL_ARG_BIAS,     DNNL_ARG_DST};
  if (direction == SLTT_BACKWARD_DATA) {
    names.input_query = dnnl_query_diff_src_md;
    names.input = DNNL_ARG_DIFF_SRC;
  }
  if (direction == SLTT_BACKWARD_WEIGHTS) {
    names.weights_query = dnnl_query_diff_weights_md;
    names.weights = DNNL_ARG_DIFF_WEIGHTS;
    names.bias = DNNL_ARG_DIFF_BIAS;
  }
  if (direction != SLTT_FORWARD) {
    names.output_query = dnnl_query_diff_dst_md;
    names.output = DNNL_ARG_DIFF_DST;
  }
  return names;
}

static const int sltt_dnnl_arg_scratchpad = DNNL_ARG_SCRATCHPAD;
static const int sltt_dnnl_arg_from = DNNL_ARG_FROM;
static const int sltt_dnnl_arg_to = DNNL_ARG_TO;

// The layout that a described primitive wants of an argument; of weights, index 1 is the bias.
static inline sltt_dnnl_layout sltt_dnnl_layout_at(const_dnnl_primitive_desc_t description,
                                                   dnnl_query_t what, int index) {
  return dnnl_primitive_desc_query_md(description, what, index);
}

static inline sltt_dnnl_layout sltt_dnnl_layout_of(const_dnnl_primitive_desc_t description,
                                                   dnnl_query_t what) {
  return sltt_dnnl_layout_at(description, what, 0);
}

// Memory in that layout; the data is given at each execution.
static inline dnnl_status_t sltt_dnnl_memory(sltt_dnnl_layout layout, dnnl_engine_t engine,
                                             dnnl_memory_t *memory) {
  return dnnl_memory_create(memory, layout, engine, DNNL_MEMORY_NONE);
}

// Weights as [height, width, input channels, output channels], of which these are the first of so many
// `outputs`.
static inline dnnl_status_t sltt_dnnl_weights_memory(const sltt_dnnl_convolution *shape,
                                                     int64_t outputs, dnnl_engine_t engine,
                                                     dnnl_memory_t *memory) {
  const int64_t inputs = shape->weights[1], width = shape->weights[3];
  const dnnl_dims_t strides = {1, outputs, width * inputs * outputs, inputs * outputs};
  dnnl_memory_desc_t layout;
#if DNNL_VERSION_MAJOR >= 3
  dnnl_status_t status =
      dnnl_memory_desc_create_with_strides(&layout, 4, shape->weights, dnnl_f32, strides);
  if (status != dnnl_success) return status;
  status = dnnl_memory_create(memory, layout, engine, DNNL_MEMORY_NONE);
  dnnl_memory_desc_destroy(layout);
  return status;
#else
  dnnl_status_t status =
      dnnl_memory_desc_init_by_strides(&layout, 4, shape->weights, dnnl_f32, strides);
  if (status != dnnl_success) return status;
  return dnnl_memory_create(memory, &layout, engine, DNNL_MEMORY_NONE);
#endif
}

// Copies, or adds, from one layout to another.
static inline dnnl_status_t sltt_dnnl_reorder(dnnl_memory_t from, dnnl_memory_t to,
                                              int accumulates, dnnl_engine_t engine,
                                              dnnl_primitive_t *primitive) {
  sltt_dnnl_layout source, destination;
  dnnl_primitive_attr_t attr;
  dnnl_status_t status = dnnl_memory_get_memory_desc(from, &source);
  if (status == dnnl_success) status = dnnl_memory_get_memory_desc(to, &destination);
  if (status == dnnl_success)
    status = sltt_dnnl_attributes(accumulates, dnnl_scratchpad_mode_library, &attr);
  if (status != dnnl_success) return status;
  dnnl_primitive_desc_t description;
  status = dnnl_reorder_primitive_desc_create(&description, source, engine, destination, engine,
                                              attr);
  dnnl_primitive_attr_destroy(attr);
  if (status != dnnl_success) return status;
  status = dnnl_primitive_create(primitive, description);
  dnnl_primitive_desc_destroy(description);
  return status;
}
