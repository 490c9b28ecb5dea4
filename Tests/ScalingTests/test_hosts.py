"""The name spaces in which Benchmarks/scaling plays hosts. Needs root and /dev/net/tun."""

import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

SCALING = pathlib.Path(__file__).resolve().parents[2] / "Benchmarks/scaling"
sys.path.insert(0, str(SCALING))

PROGRAM = f"""
import sys
sys.path.insert(0, {str(SCALING)!r})
from hosts import enter_name_spaces
import pathlib, subprocess, tempfile
enter_name_spaces()
with tempfile.TemporaryDirectory(dir=sys.argv[1]) as scratch:
    sleep = subprocess.Popen(["sleep", "600"])
    print("inside", flush=True)
    sleep.wait()
"""


class HostsTests(unittest.TestCase):
    def test_a_signal_ends_everything(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number.name), tempfile.TemporaryDirectory() as directory:
                self.check(number, pathlib.Path(directory))

    def check(self, number, directory):
        program, scratch = directory / "program.py", directory / "scratch"
        program.write_text(PROGRAM)
        scratch.mkdir()
        command = [sys.executable, program, scratch]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, text=True, start_new_session=True, **pipes) as process:
            if process.stdout.readline() != "inside\n":
                errors = process.stderr.read().strip()
                self.assertIn("skipped: ", errors)
                self.skipTest(errors)
            process.send_signal(number)
            self.assertEqual(process.wait(timeout=60), 128 + signal.SIGTERM)
            # Ends with the last process that holds the other end.
            self.assertEqual(process.stdout.read(), "")
        self.assertEqual(list(scratch.iterdir()), [])


if __name__ == "__main__":
    unittest.main()
