"""Runs and their metrics. Needs the program, and numpy for the data."""

import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy
from small_data import write_cifar

import sltt_dist
from sltt_dist.records import parsed
from sltt_dist.runs import STOPPED, find_program

ONE_THREAD = ["--threads", "1"]


class RunTests(unittest.TestCase):
    def setUp(self) -> None:
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.folder = Path(directory.name)
        write_cifar(self.folder / "cifar10")
        self.config = self.folder / "small.yaml"
        self.config.write_text(
            "model: {family: vgg, blocks: [1], width: 4}\nmethod: {timesteps: 2}\n"
        )

    def launch(self, **settings: Any) -> sltt_dist.Run:
        data = {"path": self.folder / "cifar10", "image_size": 8, "normalization": "cifar10"}
        training = {"global_batch": 20, "log_every": 1} | settings.pop("training", {})
        arguments = {"output": self.folder / "run", "options": ONE_THREAD} | settings
        return sltt_dist.launch(self.config, data=data, training=training, **arguments)

    def records(self) -> list[dict[str, Any]]:
        file = self.folder / "run/metrics.jsonl"
        return parsed(file.read_bytes(), file)

    def test_gives_records_until_the_end(self) -> None:
        run = self.launch(training={"epochs": 3})
        seen = list(run)
        self.assertEqual(run.status, 0)
        self.assertEqual([record["iteration"] for record in seen], [1, 2, 2, 3, 4, 4, 5, 6, 6])
        self.assertEqual(seen, self.records())
        self.assertIn("trained 3 epochs (6 iterations)", run.log)
        self.assertEqual(repr(run), f"<Run in {self.folder}/run, status 0>")

    def test_runs_of_one_second_have_directories_of_their_own(self) -> None:
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.folder)
        runs = [self.launch(output=None, training={"epochs": 1}) for _ in range(3)]
        for run in runs:
            run.wait()
        self.assertEqual(len({run.directory for run in runs}), 3)

    def test_starts_ranks(self) -> None:
        mpirun = ["mpirun", "--oversubscribe", "--bind-to", "none"]
        run = self.launch(ranks=2, mpirun=mpirun, training={"epochs": 1})
        run.wait()
        self.assertIn("2 ranks x 1 thread", run.log)

    def test_stops_and_goes_on(self) -> None:
        for ranks in (1, 2):
            with self.subTest(ranks=ranks):
                self.setUp()
                mpirun = ["mpirun", "--oversubscribe", "--bind-to", "none"]
                with self.launch(ranks=ranks, mpirun=mpirun, training={"epochs": 100_000}) as run:
                    first = next(iter(run))
                self.assertEqual((first["iteration"], run.status), (1, STOPPED))
                done = self.records()[-1]["iteration"]
                self.assertGreaterEqual(done, 1)
                rest = sltt_dist.launch(
                    resume=run, options=ONE_THREAD, training={"max_iterations": done + 3}
                )
                new = [record["iteration"] for record in rest if record["kind"] == "interval"]
                self.assertEqual(new, [done + 1, done + 2, done + 3])
                checkpoint = sorted((self.folder / "run/checkpoints").glob("iteration-*"))[-1]
                rest = sltt_dist.launch(
                    resume=checkpoint, options=ONE_THREAD, training={"max_iterations": done + 4}
                )
                new = [record["iteration"] for record in rest if record["kind"] == "interval"]
                self.assertEqual(new, [done + 4])

    def test_an_interruption_stops_it_with_a_checkpoint(self) -> None:
        """As Ctrl-C does it, which a terminal sends to all of its processes."""
        for block in ("run = {}", "with {} as run:"):
            with self.subTest(block):
                output = self.folder / f"run{len(block)}"
                call = (
                    f"sltt_dist.launch({str(self.config)!r}, output={str(output)!r},"
                    f" options={ONE_THREAD}, data={{'path': {str(self.folder / 'cifar10')!r},"
                    " 'image_size': 8, 'normalization': 'cifar10'},"
                    " training={'epochs': 100_000, 'global_batch': 20, 'log_every': 1})"
                )
                script = f"import sltt_dist\n{block.format(call)}\n    for record in run:\n"
                script += "        print(record, flush=True)\n"
                if not block.startswith("with"):
                    script = script.replace("\n    ", "\n")
                with subprocess.Popen(
                    [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    start_new_session=True,
                    # A shell's background ignores SIGINT, and Python with it.
                    preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                ) as caller:  # fmt: skip
                    assert caller.stdout is not None
                    self.assertIn(b"'interval'", caller.stdout.readline())
                    os.killpg(caller.pid, signal.SIGINT)
                    _, errors = caller.communicate(timeout=60)
                self.assertIn(b"KeyboardInterrupt", errors)
                self.assertTrue((output / "checkpoints/latest/state.json").exists(), errors)

    def test_gives_what_is_new_of_a_run_that_goes_on(self) -> None:
        run = self.launch(training={"epochs": 2})
        run.wait()
        metrics = self.folder / "run/metrics.jsonl"
        # As if it had been killed after iterations of which there is no checkpoint.
        lines = metrics.read_text()
        lost = lines.splitlines()[0] + "\n"
        for iteration in (5, 6, 7):
            lines += lost.replace('"iteration": 1,', f'"iteration": {iteration},')
        metrics.write_text(lines)
        rest = sltt_dist.launch(resume=run, options=ONE_THREAD, training={"epochs": 5})
        rest.wait()
        new = [record["iteration"] for record in rest if record["kind"] == "interval"]
        self.assertEqual(new, [5, 6, 7, 8, 9, 10])

    def test_fails_with_the_programs_message(self) -> None:
        with self.assertRaises(sltt_dist.RunFailed) as caught:
            list(self.launch(model={"widht": 3}))
        self.assertEqual(caught.exception.status, 1)
        self.assertRegex(
            str(caught.exception),
            r"^--set model.widht=3: unknown key 'model.widht'; did you mean 'model.width'\?\n"
            r"\(status 1 of \S+ train --output ",
        )
        with self.assertRaisesRegex(sltt_dist.RunFailed, "^Unknown option '--bar'"):
            self.launch(options=["--bar"]).wait()

    def test_refuses_wrong_arguments(self) -> None:
        for arguments in (
            {"ranks": 0}, {"epochs": 3}, {"resume": "run", "output": "other"}, {"resume": "latest"},
            {"neuron": {"tau": float("nan")}}, {"model": {"blocks": {1}}},
        ):  # fmt: skip
            with self.subTest(**arguments), self.assertRaises(ValueError):
                sltt_dist.launch(**arguments)
        for arguments in ({"options": "--threads 2"}, {"mpirun": "mpirun"}):
            with self.subTest(**arguments), self.assertRaisesRegex(TypeError, "give a list"):
                sltt_dist.launch(**arguments)

    def test_a_directory_may_be_in_the_home_directory(self) -> None:
        with mock.patch.dict(os.environ, {"HOME": str(self.folder)}):
            run = self.launch(output="~/run", training={"epochs": 1})
            run.wait()
            self.assertEqual(run.directory, self.folder / "run")
            self.assertEqual(len(sltt_dist.metrics("~/run")), len(self.records()))

    def test_finds_the_program(self) -> None:
        named = {"SLTT_DIST": "/there/sltt-dist"}
        with mock.patch.dict(os.environ, named):
            self.assertEqual(find_program(), Path("/there/sltt-dist"))
        built = self.folder / ".build/release/sltt-dist"
        built.parent.mkdir(parents=True)
        built.touch()
        below = self.folder / "a/b"
        below.mkdir(parents=True)
        with mock.patch.dict(os.environ, {"SLTT_DIST": "", "PATH": ""}):
            with mock.patch.object(Path, "cwd", return_value=below):
                self.assertEqual(find_program(), built)

    def test_settings_are_what_the_program_reads(self) -> None:
        layers = [{"convolution": {"channels": 4, "kernel": 3}}, "neuron", "linear"]
        self.config.write_text("training: {seed: 1}\n")
        run = self.launch(
            model={"layers": layers}, checkpoint={"keep": 1}, loss={"step_weights": [0.5, 1]},
            **{"method.timesteps": 2, "neuron.tau": float("inf"), "data.drop_last": True},
            training={"epochs": numpy.int64(1), "micro_batch": None},
        )  # fmt: skip
        run.wait()
        written = (self.folder / "run/config.yaml").read_text()
        for line in ("convolution: {channels: 4, kernel: 3}", "tau: inf", "drop_last: true"):
            self.assertIn(line, written)


class MetricsTests(unittest.TestCase):
    def setUp(self) -> None:
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.folder = Path(directory.name)
        lines = (
            '{"kind": "interval", "train_loss": 2.5}\n{"kind": "epoch", "train_loss": null}\n{"ki'
        )
        (self.folder / "metrics.jsonl").write_text(lines)

    def test_leaves_out_a_line_that_is_being_written(self) -> None:
        expected = [{"kind": "interval", "train_loss": 2.5}, {"kind": "epoch", "train_loss": None}]
        with mock.patch.dict("sys.modules", {"pandas": None}):
            for path in (self.folder, self.folder / "metrics.jsonl"):
                self.assertEqual(sltt_dist.metrics(path), expected)

    def test_says_which_line_is_damaged(self) -> None:
        file = self.folder / "metrics.jsonl"
        file.write_text('{"kind": "epoch"}\n\0\0\n')
        with self.assertRaisesRegex(ValueError, "metrics.jsonl:2: is damaged; remove the line"):
            sltt_dist.metrics(self.folder)

    def test_is_a_table_with_pandas(self) -> None:
        try:
            import pandas
        except ModuleNotFoundError:
            self.skipTest("no pandas")
        table = sltt_dist.metrics(self.folder)
        self.assertIsInstance(table, pandas.DataFrame)
        self.assertEqual(list(table.kind), ["interval", "epoch"])
        self.assertTrue(pandas.isna(table.train_loss[1]))

    def test_tells_that_there_are_none(self) -> None:
        with self.assertRaises(FileNotFoundError):
            sltt_dist.metrics(self.folder / "none")


if __name__ == "__main__":
    unittest.main()
