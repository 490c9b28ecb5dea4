"""The example in docs/python.md runs as it is written: as far as it needs no torch, or all of it."""

import contextlib
import importlib.util
import io
import os
import re
import unittest
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

from small_data import write_cifar

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/python.md"
TORCH_HEADING = "## Predict"
# For Open MPI 4, and for 5.
MORE_RANKS_THAN_CORES = {
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_hwloc_base_binding_policy": "none",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PRTE_MCA_hwloc_default_binding_policy": "none",
}


class DocumentationTests(unittest.TestCase):
    @unittest.skipUnless(importlib.util.find_spec("pandas"), "no pandas")
    def test_example_runs(self) -> None:
        text = DOCUMENT.read_text()
        has_torch = all(importlib.util.find_spec(name) for name in ("torch", "PIL", "yaml"))
        if not has_torch:
            text = text[: text.index(TORCH_HEADING)]
        blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        self.assertEqual(len(blocks), 5 if has_torch else 3)
        names: dict[str, Any] = {}
        with TemporaryDirectory() as directory, in_directory(directory):
            write_cifar(Path("cifar10"), samples=4)
            if has_torch:
                from PIL import Image

                Image.new("RGB", (40, 30), "teal").save("photo.png")
            printed = io.StringIO()
            with (
                contextlib.redirect_stdout(printed),
                mock.patch.dict(os.environ, MORE_RANKS_THAN_CORES),
            ):
                for number, block in enumerate(blocks, 1):
                    exec(compile(block, f"{DOCUMENT.name}, block {number}", "exec"), names)
        self.assertRegex(printed.getvalue(), r"(?m)^1 \d+\.\d+ \d+\.\d+$")
        self.assertEqual(list(names["epochs"].index)[:3], [1, 2, 3])
        if has_torch:
            self.assertIn("layer3.0.relu2", names["rates"])


@contextlib.contextmanager
def in_directory(path: str) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(path)
    try:
        yield
    finally:
        os.chdir(before)


if __name__ == "__main__":
    unittest.main()
