"""Trains the same network on the same samples with PyTorch and with sltt-dist, in turns, each time in a
process of its own, and prints medians and ratios of images/s and peak memory as a table in markdown.

    python compare.py resnet18 --data cifar10.tar --weights runs/c10/checkpoints/latest
    python compare.py nf-resnet34 --data imagenet --weights runs/nf/checkpoints/latest
    python compare.py vgg11 --data nmnist

The data are images in ImageNet layout, a directory or tar, or for vgg11 the recordings of N-MNIST. A
few batches of them are copied first, for both programs. sltt-dist decodes and augments them while it
trains; PyTorch has its batches ready before. Of each process the first iterations do not count. Needs
sltt_dist of this repository, with torch, and a release build of sltt-dist.
"""

import functools
import itertools
import json
import pathlib
import shlex
import shutil
import statistics
import sys
import tarfile
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from common import REPOSITORY, Measurements, comparison_parser, machine, run, version  # noqa: E402

# Of each work: recipe, size in pixels, batch, time steps, classes, names of the splits in the data's
# directory and in the one that is made for sltt-dist to read.
WORKS = {
    "resnet18": ("cifar10-resnet18.yaml", 32, 32, 6, 10, "train", ("train", "val")),
    "nf-resnet34": ("imagenet-nf-resnet34-stage2.yaml", 224, 8, 6, 1000, "train", ("train", "val")),
    "vgg11": ("dvs-cifar10-vgg11.yaml", 48, 32, 10, 10, "Train", ("Train", "Test")),
}
OURS = "sltt-dist"
SETTINGS = ["", "--channels-last", "--compile", "--compile --channels-last"]
# Only the networks with standardized weights have something to share.
SHARING = ["--channels-last --share-weights", "--compile --channels-last --share-weights"]


def parse_arguments():
    parser = comparison_parser(__doc__.split("\n\n")[0])
    parser.add_argument("work", choices=list(WORKS))
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--weights", type=pathlib.Path, help="checkpoint or safetensors file")
    parser.add_argument("--method", choices=["sltt", "sltt-k", "bptt"], nargs="+", default=["sltt"])
    parser.add_argument("--k", type=int, default=1, help="time steps that sltt-k trains")
    parser.add_argument(
        "--precision", choices=["float32", "mixed"], nargs="+", default=["float32"],
        help="mixed is bf16 autocast in PyTorch",
    )  # fmt: skip
    parser.add_argument(
        "--memory", choices=["fast", "lean"], nargs="+", default=["fast"],
        help="training.memory of sltt-dist",
    )  # fmt: skip
    parser.add_argument(
        "--settings", nargs="+",
        help="settings of PyTorch to try, each a string of train_step.py's flags such as"
        " ' --compile --channels-last', that begins with a space; by default all",
    )  # fmt: skip
    parser.add_argument("--batch", type=int)
    parser.add_argument("--micro-batch", type=int, help="samples at once, in both programs")
    parser.add_argument("--timesteps", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warmup", type=int, default=3, help="iterations before those that count")
    parser.add_argument("--iterations", type=int, default=10)
    arguments = parser.parse_args()
    _, _, batch, timesteps, _, _, _ = WORKS[arguments.work]
    arguments.batch = arguments.batch or batch
    arguments.timesteps = arguments.timesteps or timesteps
    sharing = SHARING if arguments.work == "nf-resnet34" else []
    arguments.settings = arguments.settings or SETTINGS + sharing
    if arguments.weights and arguments.weights.is_dir():
        arguments.weights = arguments.weights / "model.safetensors"
    return arguments


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch) / "data"
        copy_samples(arguments, folder)
        programs = {}
        for method, precision in itertools.product(arguments.method, arguments.precision):
            prefix = f"{method}, {precision}, "
            case = arguments, method, precision, folder
            for memory in arguments.memory:
                name = OURS if memory == "fast" else f"{OURS} {memory}"
                programs[prefix + name] = functools.partial(ours, *case, memory)
            for flags in map(str.strip, arguments.settings):
                name = f"PyTorch {flags}".strip()
                programs[prefix + name] = functools.partial(theirs, *case, flags)
        measurements = Measurements(programs, arguments.rounds)
    print(report(arguments, measurements))


def copy_samples(arguments, folder):
    """Copies as many training samples as the iterations use, all classes alike, and one of each class for
    validation, which every run of sltt-dist ends with."""
    *_, split, (training, validation) = WORKS[arguments.work]
    count = arguments.batch * (arguments.warmup + arguments.iterations)
    if arguments.data.is_file():
        with tarfile.open(arguments.data) as archive:
            members = {pathlib.PurePath(m.name): m for m in archive.getmembers() if m.isfile()}
            for path in by_turns([path for path in members if path.parts[0] == split], count):
                archive.extract(members[path], folder.parent / "archive", filter="data")
        source = folder.parent / "archive" / split
    else:
        source = arguments.data / split
    files = by_turns(list(source.glob("*/*")), count)
    if not files:
        sys.exit(f"no {split}/<class>/* in {arguments.data}")
    classes = len({file.parent for file in files})
    for directory, chosen in ((training, files), (validation, files[:classes])):
        for file in chosen:
            target = folder / directory / file.parent.name / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)


def by_turns(paths, count):
    """At most `count` of the paths, from each directory by turns."""
    paths = sorted(paths)
    groups = [list(group) for _, group in itertools.groupby(paths, key=lambda path: path.parent)]
    turns = itertools.chain.from_iterable(itertools.zip_longest(*groups))
    return list(itertools.islice((path for path in turns if path is not None), count))


def ours(arguments, method, precision, folder, memory):
    recipe, size, _, _, classes, _, _ = WORKS[arguments.work]
    output = folder.parent / "run"
    shutil.rmtree(output, ignore_errors=True)
    settings = {
        "data.path": folder,
        "data.image_size": size,
        "model.classes": classes,
        "method.name": method,
        "method.timesteps": arguments.timesteps,
        "training.precision": precision,
        "training.memory": memory,
        "training.global_batch": arguments.batch,
        "training.max_iterations": arguments.warmup + arguments.iterations,
        "training.log_every": 1,
    }
    if method == "sltt-k":
        settings["method.k"] = arguments.k
    if arguments.micro_batch:
        settings["training.micro_batch"] = arguments.micro_batch
    if arguments.work == "vgg11":
        # The recipe's is of other recordings.
        settings["data.convention"] = "spikingjelly"
        settings["data.frames"] = f"{{number: {arguments.timesteps}, split_by: number}}"
    command = [arguments.program, "train", "--config", REPOSITORY / "configs" / recipe]
    command += ["--threads", arguments.threads, "--output", output]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    if arguments.weights:
        command += ["--init-from", arguments.weights]
    run(command)
    lines = (output / "metrics.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    iterations = [record for record in records if record["kind"] == "interval"]
    counted = iterations[arguments.warmup :]
    return {
        "images/s": statistics.median(record["images_per_second"] for record in counted),
        "MiB": max(record["peak_rss_bytes"] for record in records) / 2**20,
        "firing rate": statistics.mean(record["firing_rate"] for record in counted),
    }


def theirs(arguments, method, precision, folder, flags):
    _, size, *_, (training, _) = WORKS[arguments.work]
    command = [
        sys.executable, HERE / "train_step.py", "--model", arguments.work,
        "--folder", folder / training, "--method", method, "--k", arguments.k,
        "--precision", precision, "--size", size, "--batch", arguments.batch,
        "--timesteps", arguments.timesteps, "--threads", arguments.threads,
        "--warmup", arguments.warmup, "--iterations", arguments.iterations,
    ]  # fmt: skip
    if arguments.micro_batch:
        command += ["--micro-batch", arguments.micro_batch]
    if arguments.weights:
        command += ["--weights", arguments.weights]
    output = run(command + flags.split(), {"OMP_NUM_THREADS": str(arguments.threads)})
    figures = json.loads(output.splitlines()[-1])
    return {
        "images/s": figures["images_per_second"],
        "MiB": figures["peak_rss_bytes"] / 2**20,
        "firing rate": figures["firing_rate"],
    }


def report(arguments, measurements):
    _, size, *_ = WORKS[arguments.work]
    parts = f" by {arguments.micro_batch}" if arguments.micro_batch else ""
    lines = [
        f"{arguments.work}, {size}x{size}, batch {arguments.batch}{parts}, T = {arguments.timesteps},"
        f" threads {arguments.threads}; {'given' if arguments.weights else 'initial'} weights;"
        f" medians of {arguments.rounds} rounds (least to most); speed and memory as times PyTorch's"
        " best",
        "",
        "| method | precision | program | images/s | speed | peak MiB | memory | firing rate |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for method, precision in itertools.product(arguments.method, arguments.precision):
        prefix = f"{method}, {precision}, "
        names = [name for name in measurements.figures if name.startswith(prefix)]
        opponents = [name for name in names if OURS not in name]
        fastest = max(measurements.median(name, "images/s") for name in opponents)
        smallest = min(measurements.median(name, "MiB") for name in opponents)
        for name in names:
            lines.append(
                f"| {method} | {precision} | {name.removeprefix(prefix)}"
                f" | {measurements.spread(name, 'images/s', 1)}"
                f" | {measurements.median(name, 'images/s') / fastest:.2f}"
                f" | {measurements.spread(name, 'MiB')}"
                f" | {measurements.median(name, 'MiB') / smallest:.2f}"
                f" | {measurements.median(name, 'firing rate'):.1%} |"
            )
    rates = [measurements.median(name, "firing rate") for name in measurements.figures]
    if min(rates) < 0.02:
        lines += ["", "Warning: hardly any neuron fires, unlike in training. Give trained --weights."]
    command = shlex.join(["python", "Benchmarks/pytorch/compare.py", *sys.argv[1:]])
    return "\n".join([*lines, "", f"    {command}", "", f"{machine()}; {versions(arguments)}"])


def versions(arguments):
    torch = run([sys.executable, "-c", "import torch; print(torch.__version__)"]).strip()
    return f"{version(arguments.program)}, PyTorch {torch}"


if __name__ == "__main__":
    main()
