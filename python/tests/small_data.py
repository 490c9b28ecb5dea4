"""Data sets of noise, small enough to train on in a moment."""

from pathlib import Path

import numpy

CLASSES = ["ant", "bee", "cat", "dog"]


def write_cifar(folder: Path, samples: int = 8) -> None:
    """CIFAR-10's binary files with so many records each, of which there are five to train and one to test."""
    random = numpy.random.default_rng(1)
    folder.mkdir()
    (folder / "batches.meta.txt").write_text("\n".join(CLASSES) + "\n")
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        records = random.integers(0, 256, (samples, 1 + 3 * 32 * 32), dtype=numpy.uint8)
        records[:, 0] = numpy.arange(samples) % len(CLASSES)
        # A class has a colour, so that there is something to learn.
        records[:, 1:1025] //= 1 + records[:, :1]
        (folder / f"{name}.bin").write_bytes(records.tobytes())


def cifar_test_samples(folder: Path) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Images [N, 32, 32, 3] of bytes, and labels [N]."""
    records = numpy.fromfile(folder / "test_batch.bin", dtype=numpy.uint8).reshape(-1, 3073)
    images = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return images, records[:, 0].astype(numpy.int64)


def write_event_frames(folder: Path, timesteps: int, size: int) -> None:
    """SpikingJelly's frames [T, 2, size, size] of recordings, four of each class to train and two to test."""
    random = numpy.random.default_rng(2)
    for split, count in [("train", 4), ("test", 2)]:
        for label, name in enumerate(CLASSES):
            place = folder / f"frames_number_{timesteps}_split_by_number" / split / name
            place.mkdir(parents=True)
            for sample in range(count):
                frames = random.poisson(0.5 + label, (timesteps, 2, size, size))
                numpy.savez(place / f"{sample}.npz", frames=frames.astype(numpy.float32))


def event_test_samples(folder: Path) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Frames [T, N, 2, size, size], and labels [N]."""
    files = sorted(folder.glob("frames_number_*/test/*/*.npz"))
    labels = [CLASSES.index(file.parent.name) for file in files]
    return numpy.stack([numpy.load(file)["frames"] for file in files], axis=1), numpy.array(labels)
