"""Runs of the program as processes."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from sltt_dist.records import FILE_NAME, Record, parsed, run_path, whole_lines

PROGRAM = "sltt-dist"
STOPPED = 75  # The program's status after a signal: it has written a checkpoint and can go on.


class RunFailed(Exception):
    """A run that did not end well, with the program's own message."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Run:
    """A run of `sltt-dist train`.

    Iterating gives the records of its metrics.jsonl as they are written, until the run ends. As a context
    manager it stops a run that is still going on at the end of the block; so does Ctrl-C. It stands for
    its directory wherever a path is taken: `metrics(run)`, `load(run)`.
    """

    def __init__(self, command: Sequence[str], directory: Path, stop_signal: signal.Signals):
        self.command = list(command)
        self.directory = directory
        self._stop_signal = stop_signal
        self._is_stopping = False
        self._metrics = directory / FILE_NAME
        # The lines that were there, or were given.
        self._known: list[bytes] = []
        self._file: int | None = None
        self._take_new_lines()
        self._printed = tempfile.TemporaryFile()
        weakref.finalize(self, self._printed.close)
        # In a session of its own Ctrl-C does not reach it by itself: with the signal of `stop` it would be the
        # second, which ends it at once, and mpirun leaves its ranks a second only.
        self._process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=self._printed,
            stderr=subprocess.STDOUT, env=_environment(), start_new_session=True,
        )  # fmt: skip
        _running.add(self)
        _stop_on_interrupt()

    def __fspath__(self) -> str:
        return str(self.directory)

    def __repr__(self) -> str:
        state = "running" if self.status is None else f"status {self.status}"
        return f"<Run in {self.directory}, {state}>"

    @property
    def status(self) -> int | None:
        """The exit status: None while it runs, 0 when complete, 75 after a stop, -n where signal n ended
        it."""
        return self._process.poll()

    @property
    def log(self) -> str:
        """What the program has printed so far."""
        size = os.fstat(self._printed.fileno()).st_size
        # The program writes where this process reads, so the common position must not move.
        return os.pread(self._printed.fileno(), size, 0).decode(errors="replace")

    def __iter__(self) -> Iterator[Record]:
        """
        Raises:
            RunFailed: at the end of a run that did not end well.
        """
        _stop_on_interrupt()
        while True:
            has_ended = self.status is not None
            yield from self._new_records()
            if has_ended:
                break
            try:
                time.sleep(0.2)
            except KeyboardInterrupt:
                self.stop()
                raise
        self.wait()

    def wait(self) -> None:
        """Waits for the end of the run, also when interrupted, which stops it.

        Raises:
            RunFailed: where it ended neither by its last epoch nor by a stop.
        """
        _stop_on_interrupt()
        try:
            status = self._process.wait()
        except KeyboardInterrupt:
            self._process.wait()
            raise
        signalled = {-self._stop_signal, 128 + self._stop_signal}
        if status not in (0, STOPPED) and not (self._is_stopping and status in signalled):
            raise RunFailed(status, _message(status, self.log, self.command))

    def stop(self) -> None:
        """Lets the run finish its iteration and write a checkpoint, and waits for that. It goes on by
        `launch(resume=run)`."""
        if not self._is_stopping:
            self._tell_to_stop()
        self.wait()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.status is None:
            self.stop()

    def _tell_to_stop(self) -> None:
        self._is_stopping = True
        if self.status is None:
            self._process.send_signal(self._stop_signal)

    def _new_records(self) -> list[Record]:
        new = self._take_new_lines()
        return parsed(b"".join(new), self._metrics, first=len(self._known) - len(new) + 1)

    def _take_new_lines(self) -> list[bytes]:
        try:
            file = self._metrics.open("rb")
        except FileNotFoundError:
            return []
        with file:
            status = os.fstat(file.fileno())
            # A run that goes on replaces the file by one without what came after its checkpoint.
            if status.st_ino != self._file or status.st_size < sum(map(len, self._known)):
                kept = whole_lines(file.read()).splitlines(keepends=True)
                pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(self._known, kept))
                self._known = [line for line, _ in pairs]
            self._file = status.st_ino
            file.seek(sum(map(len, self._known)))
            new = whole_lines(file.read()).splitlines(keepends=True)
        self._known += new
        return new


# Those that Ctrl-C stops.
_running: weakref.WeakSet[Run] = weakref.WeakSet()


def _stop_on_interrupt() -> None:
    """Makes SIGINT stop all runs before it does what it would do; a second one ends them at once. Jupyter puts
    a handler of its own back with each cell, so this is done again wherever one waits."""
    before = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not callable(before) or hasattr(before, "stops_runs"):
        return

    def handle(number: int, frame: FrameType | None) -> None:
        for run in list(_running):
            run._tell_to_stop()
        before(number, frame)

    handle.stops_runs = True  # type: ignore[attr-defined]
    signal.signal(signal.SIGINT, handle)


def launch(
    config: str | os.PathLike[str] | None = None,
    *,
    ranks: int = 1,
    output: str | os.PathLike[str] | None = None,
    resume: str | os.PathLike[str] | None = None,
    options: Sequence[str] = (),
    program: str | os.PathLike[str] | None = None,
    mpirun: Sequence[str] = ("mpirun", "--bind-to", "none"),
    **settings: Any,
) -> Run:
    """Starts a run of `sltt-dist train`, and returns while it goes on.

    Args:
        config: a configuration file; left out: the defaults, which train on the built-in digits.
        ranks: processes that share each batch; through `mpirun` where there are several.
        output: the run's directory; left out: runs/ with date and time.
        resume: the directory of a run that is to go on from its latest checkpoint, or one of its
            checkpoints, in place of `output`.
        options: more options of `sltt-dist train`, such as ["--threads", "2"].
        program: sltt-dist; left out: the one that the variable SLTT_DIST names, that is in PATH, or that
            was built in .build of this directory or one above.
        mpirun: the command that starts several ranks, with its options; left out: such that ranks share
            the cores of this machine.
        settings: keys of the configuration by section: `model={"width": 32}`, or `**{"model.width": 32}`.

    Raises:
        FileNotFoundError: where there is no program.
        TypeError: for a text in place of a list of options.
        ValueError: for a number of ranks below 1, `output` beside `resume`, a `resume` that names no
            directory, or settings that are no section of keys, or that YAML cannot hold.
    """
    for name, words in (("options", options), ("mpirun", mpirun)):
        if isinstance(words, str):
            raise TypeError(f"{name}={words!r}: give a list, {shlex.split(words)}")
    if ranks < 1:
        raise ValueError(f"ranks={ranks}: a run has at least one")
    if output is not None and resume is not None:
        raise ValueError("a run that goes on does so in its own directory: leave output out")
    if resume in ("latest", "auto"):
        raise ValueError(f"resume={resume!r}: name the directory of the run")
    directory = run_path(resume or output or _new_directory())
    command = [str(program or find_program()), "train"]
    command += ["--output" if resume is None else "--resume", str(directory)]
    if resume is not None and directory.parent.name == "checkpoints":
        directory = directory.parent.parent
    if config is not None:
        command += ["--config", os.fspath(config)]
    for key, value in _keys(settings).items():
        command += ["--set", f"{key}={_text(key, value)}"]
    command += options
    if ranks == 1:
        return Run(command, directory, signal.SIGTERM)
    # After SIGTERM, mpirun leaves its ranks a second only; SIGUSR1 it passes on.
    return Run([*mpirun, "-n", str(ranks), *command], directory, signal.SIGUSR1)


def _new_directory() -> Path:
    """runs/ with date and time, and with a number where another run has begun in the same second."""
    Path("runs").mkdir(exist_ok=True)
    name = time.strftime("runs/%Y%m%d-%H%M%S")
    for path in itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2))):
        try:
            os.mkdir(path)
        except FileExistsError:
            continue
        return Path(path)


def find_program() -> Path:
    """The program where nobody names one.

    Raises:
        FileNotFoundError
    """
    named = os.environ.get("SLTT_DIST") or shutil.which(PROGRAM)
    if named:
        return Path(named)
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).resolve().parents[2]):
        built = folder / ".build/release" / PROGRAM
        if built.exists():
            return built
    raise FileNotFoundError(
        f"there is no {PROGRAM} in PATH, nor in .build/release of {here} or above: let the variable"
        " SLTT_DIST name it"
    )


def _keys(settings: dict[str, Any]) -> dict[str, Any]:
    """`model={"width": 8}` as `model.width`."""
    keys: dict[str, Any] = {}
    for name, value in settings.items():
        if "." in name:
            keys[name] = value
        elif isinstance(value, dict):
            keys |= {f"{name}.{key}": inner for key, inner in value.items()}
        else:
            raise ValueError(
                f'{name}={value!r}: keys belong to a section, as in training={{"epochs": 3}}'
            )
    return keys


def _text(key: str, value: Any) -> str:
    """A value as --set takes it: text as it is, and else YAML, which JSON is."""
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value)
    # NumPy's and PyTorch's numbers and arrays.
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, float) and value == float("inf"):
        return "inf"
    try:
        return json.dumps(value, allow_nan=False, default=lambda inner: inner.tolist())
    except (AttributeError, ValueError):
        raise ValueError(f"{key}={value!r}: no value of a configuration") from None


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    if os.geteuid() == 0:
        # mpirun refuses to start as root otherwise.
        environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return environment


def _message(status: int, log: str, command: Sequence[str]) -> str:
    """The program's messages, which begin with a rank or `Error:`; else the end of what it printed."""
    told = re.findall(r"^(?:rank \d+ on \S+: |Error: )(.+)$", log, re.MULTILINE)
    reason = "\n".join(told or log.splitlines()[-10:])
    return f"{reason}\n(status {status} of {shlex.join(command)})"
