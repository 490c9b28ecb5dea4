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

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
# Of each preset: image size and normalization, as in torch_loader.py.
PRESETS = {"cifar": (32, "cifar10"), "imagenet": (224, "imagenet")}


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(arguments.folder).resolve()
        if arguments.copies > 1:
            folder = multiply(folder, arguments.copies, pathlib.Path(scratch) / "data")
        shards = str(pathlib.Path(scratch) / "shards")
        run([arguments.program, "shard", "--source", folder, "--output", shards, "--shards", "8"])

        programs = {
            "sltt-dist, folder": lambda: ours(arguments, folder, arguments.validation, scratch),
            "sltt-dist, shards": lambda: ours(arguments, shards, arguments.shard_validation, scratch),
            "PyTorch": lambda: theirs(arguments, folder),
        }
        rates = {name: [] for name in programs}
        for turn in range(arguments.rounds):
            for name, measure in programs.items():
                rates[name].append(measure())
                print(f"round {turn + 1}  {name:18} {rates[name][-1][0]:9.0f} images/s", flush=True)

    for position, unit in enumerate(["second", "second of processor time"]):
        print(f"\n{arguments.preset}, {arguments.workers} workers, images a {unit}")
        print(f"medians of {arguments.rounds} rounds, least and most:")
        values = {name: [pair[position] for pair in pairs] for name, pairs in rates.items()}
        reference = statistics.median(values["PyTorch"])
        for name, measured in values.items():
            median = statistics.median(measured)
            print(
                f"  {name:18} {median:9.0f} ({min(measured):.0f} to {max(measured):.0f})"
                f"  {median / reference:5.2f} x PyTorch"
            )


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--preset", choices=list(PRESETS), required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--validation", default="val", help="validation split of the folder")
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=4, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--program", default=str(REPOSITORY / ".build/release/sltt-dist"))
    arguments = parser.parse_args()
    # Shards of a folder without a validation split have none either.
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
    units = ["images_per_second", "images_per_processor_second"]
    return [report[unit][0]["delivered"] for unit in units]


def theirs(arguments, folder):
    command = [
        sys.executable, HERE / "torch_loader.py", "--folder", folder / "train",
        "--preset", arguments.preset, "--workers", arguments.workers,
        "--batch", arguments.batch, "--seconds", arguments.seconds,
    ]  # fmt: skip
    report = json.loads(run(command).splitlines()[-1])
    return report["per_second"], report["per_processor_second"]


def run(command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"status {result.returncode} from {command}:\n{result.stdout}{result.stderr}")
    return result.stdout


if __name__ == "__main__":
    main()
