// libpng reports errors by a long jump, which must not cross Swift.
#pragma once
#include <png.h>
#include <stdint.h>
#include <string.h>

typedef struct {
  const uint8_t *next;
  size_t left;
  png_imagep image;
} sltt_png_input;

static inline void sltt_png_read(png_structp png, png_bytep target, size_t count) {
  sltt_png_input *input = (sltt_png_input *)png_get_io_ptr(png);
  if (count > input->left) png_error(png, "the file ends too early");
  memcpy(target, input->next, count);
  input->next += count;
  input->left -= count;
}

static inline void sltt_png_fail(png_structp png, png_const_charp message) {
  png_imagep image = ((sltt_png_input *)png_get_error_ptr(png))->image;
  strncpy(image->message, message, sizeof image->message - 1);
  png_longjmp(png, 1);
}

static inline void sltt_png_ignore(png_structp png, png_const_charp message) {
  (void)png;
  (void)message;
}

// Reads an image of 16 bits a sample, of which it keeps the upper 8, row by row into `pixels`. Returns 0
// where that fails, and the reason in the image's message.
static inline int sltt_png_read_upper_bytes(
    png_imagep image, const uint8_t *bytes, size_t size, uint8_t *pixels) {
  sltt_png_input input = {bytes, size, image};
  png_structp png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &input, sltt_png_fail, sltt_png_ignore);
  png_infop info = png ? png_create_info_struct(png) : NULL;
  if (!info || setjmp(png_jmpbuf(png))) {
    png_destroy_read_struct(&png, &info, NULL);
    return 0;
  }
  png_set_read_fn(png, &input, sltt_png_read);
  png_read_info(png, info);
  png_set_strip_16(png);
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const size_t row = png_get_rowbytes(png, info);
  for (int pass = 0; pass < passes; pass++) {
    for (size_t y = 0; y < image->height; y++) png_read_row(png, pixels + y * row, NULL);
  }
  png_destroy_read_struct(&png, &info, NULL);
  return 1;
}
