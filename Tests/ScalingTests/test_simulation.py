"""What Benchmarks/scaling makes of traces that are written by hand, against sums made by hand."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SCALING = pathlib.Path(__file__).resolve().parents[2] / "Benchmarks/scaling"
sys.path.insert(0, str(SCALING))
from smpi import Case, Network, Simulator, Trace  # noqa: E402

GIGABIT = Network(gigabits=1, latency=1e-3, is_star=True)
# Bytes of a program that a second carries.
CARRIED = 1e9 / 8 * (1500 - 52) / (1500 + 38)
FLOATS = 400_000


def setUpModule():
    global simulator
    simulator = Simulator()


def tearDownModule():
    simulator.directory.cleanup()


def seconds_of(bytes):
    """Of a message of more than 64 KiB on GIGABIT."""
    return 3e-3 + bytes / CARRIED


class SimulationTests(unittest.TestCase):
    def trace(self, *iterations):
        """Of two ranks that do the same."""
        lines = ["# batch 8"]
        for rank in (0, 1):
            lines.append(f"{rank} init")
            for iteration in iterations:
                lines += [f"{rank} {action}" for action in iteration] + ["# iteration"]
            lines.append(f"{rank} finalize")
        path = simulator.scratch / "trace"
        path.write_text("\n".join(lines))
        return Trace(path)

    def mean(self, trace, network=GIGABIT, **case):
        times, _ = simulator.run(trace, network, Case(**{"ranks": 2, "iterations": 2} | case))
        return sum(times) / len(times)

    def test_computing_takes_what_was_measured(self):
        trace = self.trace(["compute 3e8", "sleep 0.1"])
        self.assertAlmostEqual(trace.seconds, 0.4)
        self.assertAlmostEqual(self.mean(trace), 0.4)
        # A rank that computes slowly waits no longer for its samples.
        self.assertAlmostEqual(self.mean(trace, slow_rank=1.2, compute=2), 2 * (0.1 + 0.3 * 1.2))

    def test_all_reduce_takes_latency_and_bandwidth(self):
        # Rabenseifner on two ranks: halves there and back.
        trace = self.trace([f"allreduce {FLOATS} {FLOATS} 5"])
        expected = 2 * seconds_of(4 * FLOATS / 2)
        self.assertAlmostEqual(self.mean(trace) / expected, 1, places=3)
        added = self.mean(trace, addition=1e-9) - self.mean(trace)
        self.assertAlmostEqual(added, FLOATS * 1e-9, places=6)

    def test_ranks_of_a_node_exchange_through_memory(self):
        trace = self.trace([f"allreduce {FLOATS} {FLOATS} 5"])
        node = Network(gigabits=1, latency=1e-3, ranks_per_node=2, memory_bandwidth=1e9)
        expected = 4 * FLOATS / 1e9 + 2 * 3 * node.memory_latency
        self.assertAlmostEqual(self.mean(trace, node) / expected, 1, places=3)

    def test_large_frames_carry_more(self):
        trace = self.trace([f"allreduce {FLOATS} {FLOATS} 5"])
        large = Network(gigabits=1, latency=1e-3, is_star=True, mtu=9000)
        self.assertLess(self.mean(trace, large), self.mean(trace))

    def test_parts_shrink_with_more_ranks(self):
        # On four ranks each sends a quarter to each of three others; what is sent shrinks accordingly.
        part = 1 << 20
        trace = self.trace([f"alltoall {part} {part} 6 6"])
        self.assertAlmostEqual(self.mean(trace) / seconds_of(part), 1, places=2)
        expected = 3 * seconds_of(part * 2 / 4)
        self.assertLess(self.mean(trace, ranks=4), 1.1 * expected)
        self.assertGreater(self.mean(trace, ranks=4), 0.5 * expected)
        trace = self.trace([f"reducescatter {part} {part} {2 * part} 5", f"allgather {part} {part} 5 5"])
        expected = 2 * seconds_of(4 * part)
        self.assertAlmostEqual(self.mean(trace) / expected, 1, places=1)

    def test_what_is_posted_hides_behind_computing(self):
        chunk = f"allreduce {FLOATS} 0 5"
        alone = self.mean(self.trace([chunk]))
        behind = self.trace([f"post {chunk}", f"compute {2e9 * alone}", "join"])
        self.assertAlmostEqual(self.mean(behind), 2 * alone, places=4)
        beyond = self.trace([f"post {chunk}", f"post {chunk}", f"compute {0.5e9 * alone}", "join"])
        self.assertAlmostEqual(self.mean(beyond) / (2 * alone), 1, places=2)

    def test_ranks_meet_whichever_thread_calls(self):
        chunk = "allreduce 1000000 1000000 5"
        alone = self.mean(self.trace([chunk, chunk]))
        trace = self.trace(
            [f"post {chunk}", f"post {chunk}", "join"], [f"post {chunk}", "join", chunk]
        )
        self.assertAlmostEqual(self.mean(trace, iterations=8) / alone, 1, places=2)

    def test_few_repeats_stand_for_all(self):
        trace = self.trace(["compute 1e8"] + 10 * [f"allreduce {FLOATS} {FLOATS} 5"])
        all_of_them = self.mean(trace, ranks=8, repeats=10)
        self.assertAlmostEqual(self.mean(trace, ranks=8, repeats=2) / all_of_them, 1, places=4)

    def test_ranks_that_differ_wait_for_the_slowest(self):
        trace = self.trace(*([f"compute {n}e8", "allreduce 1 1 5"] for n in range(1, 5)))
        calm = self.mean(trace, ranks=16, iterations=20, has_noise=False)
        self.assertAlmostEqual(calm, trace.seconds, delta=0.1)
        # Of 16, nearly always one draws the longest.
        self.assertGreater(self.mean(trace, ranks=16, iterations=20), 0.38)

    def test_refuses_a_part_of_a_trace(self):
        path = self.trace(["compute 1", "allreduce 1 1 5"]).path
        lines = path.read_text().splitlines()
        for part in [lines[:-1], lines[: len(lines) // 2], ["# ranks 3", *lines], ["# iterations 2", *lines]]:
            path.write_text("\n".join(part))
            with self.assertRaisesRegex(SystemExit, "is not whole"):
                Trace(path)
        path.write_text("\n".join(line.replace("compute 1", "compute one") for line in lines))
        with self.assertRaisesRegex(SystemExit, "not known: 0 compute one"):
            Trace(path)

    def test_refuses_what_it_does_not_know(self):
        for actions, message in [
            (["computes 1"], "trace:3: not known: 0 computes 1"),
            (["allreduce 1 1 99"], "datatype 99 is not known"),
        ]:
            with self.assertRaises(SystemExit) as error:
                self.mean(self.trace(actions))
            self.assertIn(message, str(error.exception))
        with self.assertRaises(SystemExit) as error:
            self.mean(self.trace(["allreduce 1 1 5"], ["allreduce 2 2 5"]))
        self.assertIn("iterations differ in their collectives", str(error.exception))

    def test_algorithms_are_compared(self):
        command = [sys.executable, SCALING / "algorithms.py", "--ranks", "8", "--gigabits", "10"]
        command += ["--chunks", str(FLOATS)]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        row = text.splitlines()[1].split()
        self.assertEqual(row[:3], ["10", str(FLOATS), "8"])
        own, doubling, halving = map(float, row[3:6])
        # Three times the chunk in place of seven eighths of it there and back.
        self.assertAlmostEqual(doubling / own, 3 / (2 * 7 / 8), delta=0.1)
        self.assertAlmostEqual(halving / own, 1, delta=0.05)

    def test_forecast_is_written(self):
        trace = self.trace(["compute 1e8", f"allreduce {FLOATS} {FLOATS} 5"])
        with tempfile.TemporaryDirectory() as directory:
            command = [sys.executable, SCALING / "simulate.py", trace.path, "--ranks", "2", "40"]
            command += ["--gigabits", "1", "--seeds", "1", "--iterations", "1"]
            command += ["--ranks-per-node", "1", "--output", f"{directory}/forecast"]
            text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            self.assertIn("1 Gb/s: below 90 % from 2 ranks on, by bandwidth", text)
            table = pathlib.Path(directory, "forecast.csv").read_text().splitlines()
            self.assertEqual(len(table), 3)
            self.assertIn("<svg", pathlib.Path(directory, "forecast.svg").read_text())


if __name__ == "__main__":
    unittest.main()
