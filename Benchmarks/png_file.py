"""A writer of PNG files, for data sets of noise, which needs no packages."""

import struct
import zlib


def png(width, height, pixels):
    """A PNG file of bytes, three a pixel, row by row."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (pixels[start : start + 3 * width] for start in range(0, len(pixels), 3 * width))
    filtered = b"".join(b"\0" + row for row in rows)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(filtered)),
            chunk(b"IEND", b""),
        ]
    )  # fmt: skip
