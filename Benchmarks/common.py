"""What the comparisons with other programs share: running programs in turns, medians, and the facts of
the machine that a result belongs to."""

import argparse
import os
import pathlib
import platform
import signal
import statistics
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


class Measurements:
    """Of several programs in several rounds, one after the other within a round, so that all of them
    meet the same machine."""

    def __init__(self, programs, rounds):
        """`programs` maps a name to a function that runs the program and returns its figures."""
        self.figures = {name: [] for name in programs}
        for turn in range(rounds):
            for name, measure in programs.items():
                self.figures[name].append(measure())
                shown = "  ".join(f"{key} {value:.5g}" for key, value in self.last(name).items())
                print(f"round {turn + 1}  {name:24} {shown}", file=sys.stderr, flush=True)

    def last(self, name):
        return self.figures[name][-1]

    def values(self, name, figure):
        return [figures[figure] for figures in self.figures[name]]

    def median(self, name, figure):
        return statistics.median(self.values(name, figure))

    def spread(self, name, figure, digits=0):
        """The median, with least and most."""
        values = self.values(name, figure)
        least, most = min(values), max(values)
        return f"{self.median(name, figure):.{digits}f} ({least:.{digits}f} to {most:.{digits}f})"


def comparison_parser(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=5)
    add_program_option(parser)
    return parser


def add_program_option(parser):
    parser.add_argument("--program", default=str(REPOSITORY / ".build/release/sltt-dist"))


def run(command, environment=None):
    """The standard output of a program; ends this one where it fails. SIGINT and SIGTERM stop the program,
    and raise KeyboardInterrupt once it has ended."""
    command = [str(part) for part in command]
    # Choices of OpenBLAS's kernels by hand would slow a program down that uses it.
    inherited = {key: value for key, value in os.environ.items() if key not in OPENBLAS_CHOICES}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    terminated = signal.signal(signal.SIGTERM, signal.default_int_handler)
    # In a session of its own Ctrl-C reaches it once, by the handler below.
    process = subprocess.Popen(
        command, text=True, env=inherited | (environment or {}), start_new_session=True, **pipes
    )
    try:
        output, errors = process.communicate()
    except KeyboardInterrupt:
        # subprocess.run would kill it, and leave what it started itself and its files.
        process.terminate()
        process.communicate()
        raise
    finally:
        signal.signal(signal.SIGTERM, terminated)
    if process.returncode != 0:
        sys.exit(f"status {process.returncode} from {command}:\n{output}{errors}")
    return output


OPENBLAS_CHOICES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def machine():
    """Processor, its vector extensions that matter here, cores and system."""
    fields = {}
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = fields.get("flags", "").split()
    vectors = [name for name in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if name in flags]
    model = fields.get("model name", platform.machine())
    family = f"family {fields['cpu family']} model {fields['model']}" if "model" in fields else ""
    cores = len(os.sched_getaffinity(0))
    return f"{model} {family} ({', '.join(vectors)}), {cores} cores, {platform.system()} " + (
        platform.release()
    )


def version(program):
    """Of sltt-dist, with the commit of this repository."""
    commit = run(["git", "-C", REPOSITORY, "rev-parse", "--short", "HEAD"]).strip()
    return f"{run([program, '--version']).strip()} ({commit})"
