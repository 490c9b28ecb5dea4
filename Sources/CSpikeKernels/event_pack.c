#include "events.h"

size_t sltt_event_packed_count(const sltt_event_shape *s) {
  return input_blocks(s) * row_blocks(s) * ROWS * LANES;
}

// Channels 16 ..< 32 of a row are the upper halves of the lanes, channels 0 ..< 16 the lower ones.
static void pack_rounded(const float *from, size_t outputs, float *to) {
  uint16_t rounded[2 * LANES] = {0};
  uint32_t pairs[LANES];
  sltt_round(from, rounded, 0, outputs);
  for (size_t i = 0; i < LANES; i++) pairs[i] = (uint32_t)rounded[LANES + i] << 16 | rounded[i];
  memcpy(to, pairs, sizeof pairs);
}

void sltt_event_pack(const sltt_event_shape *s, const float *weights, float *packed, size_t first,
                     size_t last) {
  size_t columns = row_blocks(s), width = row_outputs(s);
  for (size_t block = first; block < last; block++) {
    for (size_t column = 0; column < columns; column++) {
      float *to = packed + (block * columns + column) * ROWS * LANES;
      memset(to, 0, ROWS * ROW_BYTES);
      size_t left = s->outputs - column * width, outputs = left < width ? left : width;
      for (size_t tap = 0; tap < TAPS; tap++) {
        for (size_t c = 0; c < BLOCK && block * BLOCK + c < s->inputs; c++) {
          const float *from =
              weights + (tap * s->inputs + block * BLOCK + c) * s->outputs + column * width;
          float *row = to + (tap * BLOCK + c) * LANES;
          if (s->rounds_weights)
            pack_rounded(from, outputs, row);
          else
            memcpy(row, from, outputs * sizeof(float));
        }
      }
    }
  }
}
