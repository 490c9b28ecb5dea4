"""What the claims share: a folder with all that was measured, so that nothing is measured twice, and the
result, with the commands, the machine and the published figures beside it."""

import contextlib
import importlib.util
import json
import shlex
import shutil
import sys
import tarfile

from common import machine, run, version
from tiny_data import WRITERS

TRAINING, VALIDATION = "train", "val"
# Splits of the data sets, by what they are for.
SPLITS = {
    "cifar10": {TRAINING: "train", VALIDATION: "test"},
    "nmnist": {TRAINING: "Train", VALIDATION: "Test"},
}
# What tells nothing of the claims, and takes time.
QUIET = {"metrics.histograms_every": 0, "training.check_replicas_every": 1000}


class Study:
    """The folder OUTPUT/CLAIM, with the measurements of one claim and its result."""

    def __init__(self, claim, arguments, plan):
        """`plan` is what the budget and the data determine. A folder belongs to one plan, because figures
        of several do not compare."""
        self.claim, self.arguments, self.plan = claim, arguments, plan
        self.output = arguments.output
        self.folder = self.output / claim
        self.folder.mkdir(parents=True, exist_ok=True)
        self.kept_file = self.folder / "measurements.json"
        kept = {"plan": plan, "measurements": {}}
        if self.kept_file.exists():
            kept = json.loads(self.kept_file.read_text())
        if kept["plan"] != json.loads(json.dumps(plan)):
            sys.exit(
                f"{self.kept_file} has measurements by another plan, {kept['plan']}: give the same"
                " --budget, --short and --threads as then, and a Python that has torch if that one"
                " had, or another --output"
            )
        self.kept = kept["measurements"]
        self.commands = []

    def measured(self, name, measure):
        """The figures that `measure` returns; from an earlier call, where there was one that ended."""
        if name not in self.kept:
            print(f"{self.claim}: {name}", file=sys.stderr, flush=True)
            self.commands = []
            figures = measure()
            self.kept[name] = {
                "figures": figures,
                "commands": self.commands,
                "machine": machine(),
                "version": f"sltt-dist {version(self.arguments.program)}",
            }
            document = {"plan": self.plan, "measurements": self.kept}
            partial = self.kept_file.with_suffix(".partial")
            partial.write_text(json.dumps(document, indent=1) + "\n")
            partial.replace(self.kept_file)
        return self.kept[name]["figures"]

    def sltt(self, *arguments, settings=None, threads=True):
        """The standard output of sltt-dist, which is noted among the commands."""
        command = [*arguments]
        for key, value in (settings or {}).items():
            command += ["--set", f"{key}={json.dumps(value) if isinstance(value, list) else value}"]
        if threads:
            command += ["--threads", self.arguments.threads]
        self.note("sltt-dist", *command)
        return run([self.arguments.program, *command])

    def note(self, *command):
        """Notes a command, as people would write it."""
        self.commands.append(shlex.join(str(part) for part in command))

    def subset(self, name, counts):
        """A folder with the first samples of each class of a data set: train/CLASS/* and val/CLASS/*, or
        as the data set calls them.

        Args:
            counts: samples a class of each split.
        """
        folder = self.output / "data" / f"{name}-{counts[TRAINING]}-{counts[VALIDATION]}"
        if folder.exists():
            return folder
        source = self.source(name)
        with whole(folder) as partial:
            self.copy(source, partial, name, counts)
        return folder

    def copy(self, source, partial, name, counts):
        """What `subset` is made of."""
        for purpose, split in SPLITS[name].items():
            classes = sorted(path for path in (source / split).glob("*") if path.is_dir())
            if not classes:
                sys.exit(f"no {split}/CLASS/* in {source}")
            # The program finds a split `val` by itself, and those of N-MNIST by their names.
            target = partial / (purpose if name == "cifar10" else split)
            for directory in classes:
                (target / directory.name).mkdir(parents=True)
                for file in sorted(directory.iterdir())[: counts[purpose]]:
                    shutil.copyfile(file, target / directory.name / file.name)

    def source(self, name):
        """The data set as a directory; unpacked, where it is a tar."""
        data = self.arguments.data
        if data is None and self.arguments.short:
            data = self.output / "tiny"
            if not (data / name).exists():
                with whole(data / name) as partial:
                    WRITERS[name](partial)
        if data is None:
            sys.exit("give --data DIR, with cifar10 and nmnist as directories or tars")
        if (data / name).is_dir():
            return data / name
        archive = data / f"{name}.tar"
        if not archive.is_file():
            sys.exit(f"neither {data / name} nor {archive} exists")
        unpacked = self.output / "data" / name
        if not unpacked.exists():
            with tarfile.open(archive) as file, whole(unpacked) as partial:
                file.extractall(partial, filter="data")
        return unpacked

    def write(self, title, published, tables, plots, notes=()):
        """Writes result.json, result.md and the plots, and prints the text.

        Args:
            published: what the paper says, as text.
            tables: of each heading a list of rows, dictionaries with the same keys.
            plots: SVG by name.
            notes: what was scaled, and what else a reader must know.
        """
        kept = list(self.kept.values())
        machines = sorted({f"{one['version']}; {one['machine']}" for one in kept})
        commands = [command for one in kept for command in one["commands"]]
        own = shlex.join(["python", "Benchmarks/paper/run.py", *sys.argv[1:]])
        document = {
            "claim": self.claim, "published": published, "plan": self.plan, "notes": list(notes),
            "tables": tables, "machines": machines, "command": own, "commands": commands,
        }  # fmt: skip
        (self.folder / "result.json").write_text(json.dumps(document, indent=1) + "\n")
        for name, svg in plots.items():
            (self.folder / f"{name}.svg").write_text(svg)
        lines = [f"# {title}", "", f"Published: {published}", ""]
        for heading, rows in tables.items():
            lines += [f"## {heading}", "", *markdown(rows), ""]
        lines += [*(f"- {note}" for note in notes), *(f"- {machine}" for machine in machines), ""]
        lines += ["```", own, "```", "", "which ran", "", "```", *commands, "```"]
        text = "\n".join(lines) + "\n"
        (self.folder / "result.md").write_text(text)
        print(text, end="")


@contextlib.contextmanager
def whole(folder):
    """A folder to fill, which gets its name when it is complete: what was broken off is made anew."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    partial.replace(folder)


def training_samples(folder):
    """How many a folder that `subset` made has."""
    return len(list(folder.glob("[Tt]rain/*/*")))


def samples_a_class(folder):
    """Of a folder of images that `subset` made, for training and for validation: the most of any class."""
    return [
        max(len(list(one.glob("*"))) for one in (folder / split).glob("*"))
        for split in (TRAINING, VALIDATION)
    ]


def has_torch():
    """Whether this Python has sltt_dist of this repository, with torch."""
    modules = ("torch", "safetensors", "yaml", "PIL", "sltt_dist")
    return all(importlib.util.find_spec(module) is not None for module in modules)


def markdown(rows):
    """Lines of a table of dictionaries with the same keys."""
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    return lines + ["| " + " | ".join(str(value) for value in row.values()) + " |" for row in rows]
