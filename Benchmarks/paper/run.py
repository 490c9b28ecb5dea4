"""Measures a claim of the paper that introduced SLTT (Meng et al., ICCV 2023), and writes tables, plots,
commands and the published figures beside them.

    python run.py --claim gradients --data DATA --output RESULTS [--budget MINUTES]

DATA has the data sets cifar10 and nmnist, as directories or tars. A call goes on where an earlier one with
the same --output was broken off: finished measurements are kept, and trainings resume. docs/paper.md says
what each claim measures, how --budget scales it, and what came out.
"""

import argparse
import math
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import accuracy  # noqa: E402
import gradients  # noqa: E402
import memory  # noqa: E402
import multiplications  # noqa: E402
import sltt_k  # noqa: E402
from common import add_program_option  # noqa: E402

CLAIMS = {
    "gradients": gradients.measure,
    "memory": memory.measure,
    "multiplications": multiplications.measure,
    "sltt-k": sltt_k.measure,
    "accuracy": accuracy.measure,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--claim", choices=list(CLAIMS), required=True)
    parser.add_argument("--data", type=pathlib.Path, help="directory with cifar10 and nmnist")
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument(
        "--budget", type=float, default=10, metavar="MINUTES",
        help="about how long it may take on two cores; scales images, batches and seeds",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument(
        "--short", action="store_true", help="networks so small that it takes seconds, for tests"
    )
    add_program_option(parser)
    arguments = parser.parse_args()
    if not 0 < arguments.budget < math.inf:
        parser.error("--budget: minutes are above 0")
    if arguments.threads < 1:
        parser.error("--threads: at least 1")
    if not shutil.which(arguments.program):
        parser.error(
            f"there is no program {arguments.program}: swift build -c release makes it, or give --program"
        )
    try:
        CLAIMS[arguments.claim](arguments)
    except KeyboardInterrupt:
        sys.exit("stopped; the same call goes on")


if __name__ == "__main__":
    main()
