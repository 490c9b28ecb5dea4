"""What a run measured: the lines of its metrics.jsonl."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

Record = dict[str, Any]

FILE_NAME = "metrics.jsonl"


def whole_lines(text: bytes) -> bytes:
    """Without a last line that is still being written."""
    return text[: text.rfind(b"\n") + 1]


def parsed(lines: bytes) -> list[Record]:
    return [json.loads(line) for line in lines.splitlines()]


def metrics(run: str | os.PathLike[str]) -> pandas.DataFrame | list[Record]:
    """The records of a run, one a row, in the order in which they were written.

    `kind` is "interval" for `training.log_every` iterations, and "epoch" for an epoch with its validation.
    Shares, such as accuracies and firing rates, are 0 to 1; what was not measured is None or NaN.

    Args:
        run: a run's directory, what `launch` returned, or a file metrics.jsonl.

    Returns:
        A DataFrame where pandas is installed, else a list of dictionaries.

    Raises:
        OSError: where there are no metrics, or they cannot be read.
        ValueError: where a line is damaged.
    """
    path = Path(run)
    file = path / FILE_NAME if path.is_dir() else path
    records = parsed(whole_lines(file.read_bytes()))
    try:
        import pandas
    except ModuleNotFoundError:
        return records
    return pandas.DataFrame(records)
