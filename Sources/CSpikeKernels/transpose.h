// Turns LANES vectors of LANES elements around in registers.
#pragma once

#include "vectors.h"

// Which element comes to lane i where blocks of `distance` elements change places between two vectors:
// for the lower vector with offset 0, for the upper with offset `distance`.
#define FROM(i, distance, offset) (((i) & (distance) ? (i) - (distance) + LANES : (i)) + (offset))
#define MIX(low, high, d, o)                                                                      \
  __builtin_shufflevector(                                                                        \
      low, high, FROM(0, d, o), FROM(1, d, o), FROM(2, d, o), FROM(3, d, o), FROM(4, d, o),       \
      FROM(5, d, o), FROM(6, d, o), FROM(7, d, o), FROM(8, d, o), FROM(9, d, o), FROM(10, d, o),  \
      FROM(11, d, o), FROM(12, d, o), FROM(13, d, o), FROM(14, d, o), FROM(15, d, o))

#define EXCHANGE(rows, distance)                                 \
  for (size_t i_ = 0; i_ < LANES; i_++) {                        \
    if (i_ & (distance)) continue;                               \
    vfloat low_ = rows[i_], high_ = rows[i_ + (distance)];       \
    rows[i_] = MIX(low_, high_, distance, 0);                    \
    rows[i_ + (distance)] = MIX(low_, high_, distance, distance); \
  }

// rows[i][j] becomes rows[j][i].
#define TRANSPOSE(rows)     \
  ({                        \
    EXCHANGE(rows, 8)       \
    EXCHANGE(rows, 4)       \
    EXCHANGE(rows, 2)       \
    EXCHANGE(rows, 1)       \
  })
