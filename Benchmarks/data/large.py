"""What a data set of as many images as ImageNet asks of sltt-dist besides decoding: listing, sharding,
indexing, staging, start-up, on one rank and on eight, with a quarter of the images and with all of them, so that
a step that takes more than four times the time shows.

    python Benchmarks/data/large.py --output DIR

Images are of 8x8 pixels, one for each class; all files of a class are hard links to it. Needs some 4 GB in DIR,
Open MPI, and a release build of sltt-dist.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from common import add_program_option, machine, version  # noqa: E402
from png_file import png  # noqa: E402

# The smallest network and the shortest run, so that nothing but the data takes time. The samples of
# one iteration come from all over the training split.
RUN = (
    "--set model.family=resnet --set model.blocks=[1] --set model.width=2 --set method.timesteps=1"
    " --set data.image_size=8 --set data.augmentation=[center_crop] --set data.normalization=imagenet"
    " --set training.max_iterations=1 --set training.global_batch=64 --set data.validation_samples=64"
    " --set metrics.histograms_every=0 --threads 1"
).split()


def main():
    arguments = parse_arguments()
    try:
        arguments.output.mkdir(parents=True)
    except FileExistsError:
        sys.exit(f"--output {arguments.output}: is there already; name a folder to make")
    print(f"{version(arguments.program)}, {machine()}")
    print(f"{'step':44} {'images':>9} {'seconds':>9} {'peak MiB':>9}")
    quarter = steps(arguments, max(1, arguments.images // 4))
    whole = steps(arguments, arguments.images)
    print("\nseconds and peak memory of all images beside those of a quarter:")
    for step, (seconds, memory) in whole.items():
        print(f"  {step:44} {seconds / quarter[step][0]:5.2f} {memory / quarter[step][1]:5.2f}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--output", type=pathlib.Path, required=True, help="a folder to make")
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--images", type=int, default=1281, help="of each class")
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 8])
    add_program_option(parser)
    return parser.parse_args()


def steps(arguments, images):
    """Seconds and the largest process's MiB of each step. What they make is removed."""
    program, folder = arguments.program, arguments.output / str(images)
    data, shards, other, staged = (folder / name for name in ("data", "shards", "other", "staged"))
    generate(data, arguments.classes, images)
    found = {}

    def step(name, *command):
        seconds, memory = measured(command)
        found[name] = (seconds, memory)
        print(f"{name:44} {arguments.classes * images:9} {seconds:9.1f} {memory:9.0f}", flush=True)

    def start(name, path, *options, without=None):
        for ranks in arguments.ranks:
            if without:
                shutil.rmtree(without, ignore_errors=True)
            step(
                f"start, {name}, {ranks} rank{'s' * (ranks > 1)}", *mpirun(ranks), program, "train", *RUN,
                "--set", f"data.path={path}", *options, "--output", folder / f"{name}-{ranks}",
            )  # fmt: skip

    start("folder", data)
    step("shard", program, "shard", "--source", data, "--output", shards)
    step("shard again, all there", program, "shard", "--source", data, "--output", shards)
    step("verify", program, "shard", "--verify", shards)
    start("shards", shards)
    link_without_index(shards, other)
    step("index of another program's shards", program, "shard", "--index", other)
    for ranks in arguments.ranks:
        shutil.rmtree(staged, ignore_errors=True)
        step(
            f"stage, {ranks} rank{'s' * (ranks > 1)}",
            *mpirun(ranks), program, "stage", "--shards", shards, "--output", staged,
        )  # fmt: skip
    start("node-local", staged, "--set", "data.sharding=node-local")
    archive = folder / "data.tar"
    subprocess.run(
        ["tar", "--hard-dereference", "-cf", archive, "-C", data, "train", "val"], check=True
    )
    # Where an index of the tar is kept.
    start("tar for the first time", archive, without=folder / ".sltt-dist")
    start("tar again", archive)
    shutil.rmtree(folder)
    return found


def generate(data, classes, images):
    """As ImageNet is laid out, with 10 images of each class to validate on."""
    for split, count in [("train", images), ("val", min(images, 10))]:
        for label in range(classes):
            name = f"n{label:08}"
            directory = data / split / name
            directory.mkdir(parents=True)
            first = directory / f"{name}_0.png"
            first.write_bytes(png(8, 8, bytes([label % 256, label // 256, 128]) * 64))
            for number in range(1, count):
                os.link(first, directory / f"{name}_{number}.png")


def link_without_index(shards, other):
    """The same shards without their index."""
    other.mkdir()
    for shard in shards.glob("*.tar"):
        os.link(shard, other / shard.name)


def mpirun(ranks):
    if os.geteuid() == 0:
        # Or it refuses to start.
        os.environ |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return [] if ranks == 1 else ["mpirun", "--oversubscribe", "-n", str(ranks)]


def measured(command):
    """Seconds of a program, and the MiB of its largest process; ends this one where it fails."""
    start = time.monotonic()
    with open(os.devnull, "w") as nowhere:
        process = subprocess.Popen([str(part) for part in command], stdout=nowhere)
        _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"status {os.waitstatus_to_exitcode(status)} from {command}")
    return time.monotonic() - start, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
