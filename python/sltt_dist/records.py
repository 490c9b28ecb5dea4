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


def run_path(path: str | os.PathLike[str]) -> Path:
    """A path as the program takes it: one that begins with ~ is in the home directory."""
    return Path(path).expanduser()


def parsed(lines: bytes, file: Path, first: int = 1) -> list[Record]:
    """Records of a file, of which `first` is the number of the first line.

    Raises:
        ValueError: where a line is damaged.
    """
    records = []
    for number, line in enumerate(lines.splitlines(), first):
        try:
            records.append(json.loads(line))
        except ValueError as error:
            raise ValueError(f"{file}:{number}: is damaged; remove the line: {error}") from None
    return records


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
    path = run_path(run)
    file = path / FILE_NAME if path.is_dir() else path
    records = parsed(whole_lines(file.read_bytes()), file)
    try:
        import pandas
    except ModuleNotFoundError:
        return records
    return pandas.DataFrame(records)
