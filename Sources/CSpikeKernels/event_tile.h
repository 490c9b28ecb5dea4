// What the weight gradient works on.
#pragma once

#include "events.h"

// A tile of output gradients, 16 channels wide, which stays in the first-level cache. Its pixels are
// those of a band of rows, or of several small images, row by row: a pixel of zeros, which borders
// this row and the one above, then the row's pixels. A row of zeros, or of the band's neighbours,
// lies above, below and between images.
enum { TILE = 448, TILE_WORDS = TILE / 64 };

typedef struct {
  float gradients[TILE * LANES];
  uint64_t words[TILE];                // a block's spikes, at their places in the tile
  uint64_t bits[BLOCK][TILE_WORDS];    // the same, channel by channel
  // The spikes of all channels, one list after the other, for each parity of an input pixel's row and
  // column (all 0 with stride 1) and each channel: the offsets in bytes of the tile's pixels at the
  // last tap, tap (2, 2) or the last that exists.
  uint16_t *lists;
  uint32_t *ends;                      // of each list, after a 0
  float *values;                       // of the lists' pixels; NULL: all are 1
} tile_memory;

// A part of the output of consecutive samples that fills a tile.
typedef struct {
  size_t sample, samples;        // samples it takes from
  size_t row, rows;              // output rows of each
} band;

INLINE size_t pitch_of(const sltt_event_shape *s) { return s->output_width + 1; }
INLINE size_t parities_of(const sltt_event_shape *s) { return s->stride == 1 ? 1 : 4; }

// Of so many blocks of input channels.
INLINE size_t list_count(const sltt_event_shape *s, size_t blocks) {
  return parities_of(s) * blocks * BLOCK;
}

// The next rows or images that fit in a tile, of the samples up to `last`.
band sltt_next_band(const sltt_event_shape *s, size_t sample, size_t row, size_t last);

// Lists the spikes of the blocks whose windows' centres lie in the band, and, if there are `values` of
// all elements, those under spikes.
void sltt_list_band(const sltt_event_shape *s, const uint64_t *spikes, const float *values, band b,
                    size_t first_block, size_t last_block, tile_memory *m);

// Copies 16 channels of the band's output gradients to the tile.
void sltt_fill_tile(const sltt_event_shape *s, const float *gradient, band b, size_t column,
                    tile_memory *m);
