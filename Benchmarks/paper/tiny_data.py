"""Data sets of noise in the layouts of CIFAR-10 and N-MNIST, for the short form of the claims."""

import struct
import zlib

import numpy

CLASSES = ["ant", "bee", "cat"]
SAMPLES = {"train": 12, "test": 4}  # A class.


def write_cifar10(folder):
    """PNG images of 32x32 pixels, in ImageNet's layout. A class has a colour, so that there is something
    to learn."""
    random = numpy.random.default_rng(1)
    for split, count in SAMPLES.items():
        for label, name in enumerate(CLASSES):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 120, (32, 32, 3), dtype=numpy.uint8)
                pixels[..., label] += 100
                (folder / split / name / f"{number:02}.png").write_bytes(png(pixels))


def write_nmnist(folder):
    """Recordings of some hundred events. A class has a half of the sensor."""
    random = numpy.random.default_rng(2)
    for split, count in SAMPLES.items():
        for label in range(len(CLASSES)):
            (folder / split.capitalize() / str(label)).mkdir(parents=True)
            for number in range(count):
                events = numpy.zeros((400, 5), dtype=numpy.uint8)
                events[:, :2] = random.integers(0, 17, (400, 2)) + [17 * (label > 0), 17 * (label > 1)]
                events[:, 2] = random.integers(0, 2, 400) << 7
                events[:, 3] = numpy.arange(400) >> 8
                events[:, 4] = numpy.arange(400) & 255
                file = folder / split.capitalize() / str(label) / f"{number:05}.bin"
                file.write_bytes(events.tobytes())


def png(pixels):
    """A PNG file of pixels [H, W, 3]."""

    def chunk(kind, content):
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        ]
    )  # fmt: skip


WRITERS = {"cifar10": write_cifar10, "nmnist": write_nmnist}
