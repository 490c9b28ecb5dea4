#include "events.h"

size_t sltt_event_packed_count(const sltt_event_shape *s) {
  return input_blocks(s) * row_blocks(s) * ROWS * LANES;
}

// Channels 16 ..< 32 of a row are the upper halves of the lanes, channels 0 ..< 16 the lower ones.
INLINE void pack_rounded(const vfloat values[2], float *to) {
  uint16_t rounded[2 * LANES];
  uint32_t pairs[LANES];
  sltt_round((const float *)values, rounded, 0, 2 * LANES);
  for (size_t i = 0; i < LANES; i++) pairs[i] = (uint32_t)rounded[LANES + i] << 16 | rounded[i];
  memcpy(to, pairs, sizeof pairs);
}

INLINE void sltt_event_pack_body(const sltt_event_shape *s, const sltt_weights *weights,
                                 float *packed, size_t first, size_t last) {
  size_t columns = row_blocks(s), width = row_outputs(s);
  for (size_t block = first; block < last; block++) {
    for (size_t column = 0; column < columns; column++) {
      float *to = packed + (block * columns + column) * ROWS * LANES;
      memset(to, 0, ROWS * ROW_BYTES);
      for (size_t tap = 0; tap < TAPS; tap++) {
        for (size_t c = 0; c < BLOCK && block * BLOCK + c < s->inputs; c++) {
          size_t row = tap * s->inputs + block * BLOCK + c;
          vfloat values[2] = {0};
          for (size_t part = 0; part < width / LANES; part++) {
            size_t from = column * width + part * LANES;
            if (from < s->outputs)
              values[part] = LOAD_WEIGHTS(weights, row, s->outputs, from, s->outputs - from);
          }
          float *place = to + (tap * BLOCK + c) * LANES;
          if (s->rounds_weights)
            pack_rounded(values, place);
          else
            memcpy(place, values, ROW_BYTES);
        }
      }
    }
  }
}

VARIANTS(void, sltt_event_pack,
         (const sltt_event_shape *s, const sltt_weights *weights, float *packed, size_t first,
          size_t last),
         (s, weights, packed, first, last))
