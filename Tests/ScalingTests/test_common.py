"""How Benchmarks/common.py runs programs."""

import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BENCHMARKS = pathlib.Path(__file__).resolve().parents[2] / "Benchmarks"

CALLER = f"""
import sys
sys.path.insert(0, {str(BENCHMARKS)!r})
from common import run
try:
    run(["sh", "-c", sys.argv[1]])
except KeyboardInterrupt:
    sys.exit("stopped")
"""
# As sltt-dist does it: on a signal it ends what it started, and removes its files, which takes a while.
PROGRAM = """
trap 'sleep 0.5; mv running ended; exit 75' TERM
sleep 0.3
touch running
while :; do sleep 0.05; done
"""


class RunTests(unittest.TestCase):
    def test_a_signal_lets_the_program_end(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name), tempfile.TemporaryDirectory() as directory:
                self.check(number, pathlib.Path(directory))

    def check(self, number, directory):
        command = [sys.executable, "-c", CALLER, PROGRAM]
        with subprocess.Popen(
            command, cwd=directory, stderr=subprocess.PIPE, text=True,
            # A shell's background ignores SIGINT, and Python with it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as caller:  # fmt: skip
            while not (directory / "running").exists():
                self.assertIsNone(caller.poll())
                time.sleep(0.02)
            caller.send_signal(number)
            self.assertEqual(caller.communicate(timeout=60)[1], "stopped\n")
        self.assertEqual(caller.returncode, 1)
        self.assertEqual([path.name for path in directory.iterdir()], ["ended"])


if __name__ == "__main__":
    unittest.main()
