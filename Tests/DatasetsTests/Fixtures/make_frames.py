#!/usr/bin/env python3
"""Makes frames.npz, which NumPy compresses as SpikingJelly lets it.

    pip install numpy
    ./make_frames.py

Its array 'frames' has the shape [3, 2, 4, 5] and element i, counted in C's order, is i % 7 / 2.
"""

import numpy as np

elements = np.arange(3 * 2 * 4 * 5) % 7 / 2
np.savez_compressed("frames.npz", frames=elements.astype(np.float32).reshape(3, 2, 4, 5))
