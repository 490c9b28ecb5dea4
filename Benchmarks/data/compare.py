"""Compares the loaders of sltt-dist and PyTorch: the same images, transforms and number of workers, in
turns, so that both meet the same machine. Prints medians and ratios of the images a second and of the
images for each second of processor time; the latter mean something on a busy machine too.

    python compare.py --preset cifar --folder cifar10
    python compare.py --preset imagenet --folder imagenet --validation train

The folder holds train/<class>/* and a validation split. sltt-dist reads it as it is and as shards,
which are made of it first, in a temporary directory. A folder with few images gives epochs that are
too short to measure; --copies N puts each image N times into the data that both read. Needs torch
and torchvision, and a release build of sltt-dist.
"""

import json
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from common import Measurements, comparison_parser, run  # noqa: E402

# Of each preset: image size and normalization, as in torch_loader.py.
PRESETS = {"cifar": (32, "cifar10"), "imagenet": (224, "imagenet")}


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(arguments.folder).resolve()
        if arguments.copies > 1:
            folder = multiply(folder, arguments.copies, pathlib.Path(scratch) / "data")
        shards = str(pathlib.Path(scratch) / "shards")
        command = [arguments.program, "shard", "--source", folder, "--output", shards]
        run([*command, "--shards", "8", "--hold-out", "0"])

        programs = {
            "sltt-dist, folder": lambda: ours(arguments, folder, arguments.validation, scratch),
            "sltt-dist, shards": lambda: ours(arguments, shards, arguments.shard_validation, scratch),
            "PyTorch": lambda: theirs(arguments, folder),
        }
        measurements = Measurements(programs, arguments.rounds)

    for figure in ["second", "second of processor time"]:
        print(f"\n{arguments.preset}, {arguments.workers} workers, images a {figure}")
        print(f"medians of {arguments.rounds} rounds, least and most:")
        reference = measurements.median("PyTorch", figure)
        for name in programs:
            ratio = measurements.median(name, figure) / reference
            print(f"  {name:18} {measurements.spread(name, figure)}  {ratio:5.2f} x PyTorch")


def parse_arguments():
    parser = comparison_parser(__doc__.split("\n\n")[0])
    parser.add_argument("--preset", choices=list(PRESETS), required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--validation", default="val", help="validation split of the folder")
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    arguments = parser.parse_args()
    # With --hold-out 0, shards of a folder without a validation split have none either.
    arguments.shard_validation = "train" if arguments.validation == "train" else "val"
    return arguments


def multiply(folder, copies, target):
    for image in sorted((folder / "train").glob("*/*")):
        directory = target / "train" / image.parent.name
        directory.mkdir(parents=True, exist_ok=True)
        for copy in range(copies):
            os.symlink(image, directory / f"{copy}-{image.name}")
    return target


def ours(arguments, path, validation, scratch):
    output = pathlib.Path(scratch) / "rates.json"
    image_size, normalization = PRESETS[arguments.preset]
    settings = {
        "data.path": path,
        "data.validation": validation,
        "data.image_size": image_size,
        "data.augmentation": arguments.preset,
        "data.normalization": normalization,
        "training.global_batch": arguments.batch,
    }
    command = [arguments.program, "bench", "data", "--workers", arguments.workers]
    command += ["--seconds", arguments.seconds, "--output", output]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    run(command)
    report = json.loads(output.read_text())
    return {
        "second": report["images_per_second"][0]["delivered"],
        "second of processor time": report["images_per_processor_second"][0]["delivered"],
    }


def theirs(arguments, folder):
    command = [
        sys.executable, HERE / "torch_loader.py", "--folder", folder / "train",
        "--preset", arguments.preset, "--workers", arguments.workers,
        "--batch", arguments.batch, "--seconds", arguments.seconds,
    ]  # fmt: skip
    report = json.loads(run(command).splitlines()[-1])
    return {
        "second": report["per_second"],
        "second of processor time": report["per_processor_second"],
    }


if __name__ == "__main__":
    main()
