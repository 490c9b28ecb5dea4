"""Data sets of noise in the layouts of CIFAR-10 and N-MNIST, for the short form of the claims."""

import numpy
from png_file import png

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
                (folder / split / name / f"{number:02}.png").write_bytes(png(32, 32, pixels.tobytes()))


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


WRITERS = {"cifar10": write_cifar10, "nmnist": write_nmnist}
