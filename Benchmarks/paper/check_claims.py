"""Runs the short form of each claim, and checks what must hold of its result at any size.

    python check_claims.py [CLAIM …]

The variable SLTT_DIST names the program, if it is not in this repository's .build. What needs PyTorch is
left out where Python lacks it.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def gradients(tables):
    for row in tables["By epoch"]:
        assert -1 <= float(row["cosine of all"]) <= 1, row
    by_layer = tables["By layer, epoch 2"]
    # Nothing flows through time behind the last neurons, so there both rules have the same gradient.
    behind = [row for row in by_layer if row["layer"] in ("linear.weight", "classifier.1.weight")]
    assert len(behind) == 4 and all(row["cosine"].startswith("1.0000") for row in behind), behind
    # With a longer memory more is left out.
    least = {
        (row["data"], row["tau"]): float(row["cosine"].split()[0])
        for row in by_layer
        if row["layer"] in ("conv1.weight", "layer1.0.weight")
    }
    assert all(least[data, 2] < least[data, 1.1] for data in ("cifar10", "nmnist")), least


def memory(tables):
    for name, rows in tables.items():
        shares = {(row["T"], row["method"]): float(row["of BPTT's activations"]) for row in rows}
        first, last = rows[0]["T"], rows[-1]["T"]
        assert shares[first, "SLTT"] == 1, (name, shares)
        assert shares[last, "SLTT"] == shares[last, "SLTT-1"] < 0.9, (name, shares)


def multiplications(tables):
    for name, rows in tables.items():
        for row in rows:
            counts = [row[key] for key in row if key.endswith("dense layers")]
            assert len(counts) >= 2 and len(set(counts)) == 1, (name, row)
            assert row.get("PyTorch, neurons", row["neurons"]) == row["neurons"], (name, row)
        shares = {row["rule"]: float(row["of BPTT's"]) for row in rows}
        assert shares["SLTT-1"] < shares["SLTT"] < shares["BPTT"] == 1, (name, shares)


def sltt_k(tables):
    rules = [row["rule"] for row in tables["CIFAR-10"]]
    assert rules == ["BPTT", "SLTT", "SLTT-2", "SLTT-1"], rules
    assert len(tables["Differences at the same seed"]) == 2


def accuracy(tables):
    for row in tables["Accuracy"]:
        if row["rule"].endswith("PyTorch"):
            # Weights, samples, augmentation and loss are the same, or this one would differ.
            assert float(row["first loss beside sltt-dist's"]) < 1e-5, row
    assert {row["data"] for row in tables["Accuracy"]} == {"cifar10", "nmnist"}


CHECKS = {
    "gradients": gradients,
    "memory": memory,
    "multiplications": multiplications,
    "sltt-k": sltt_k,
    "accuracy": accuracy,
}


def main():
    program = ["--program", os.environ["SLTT_DIST"]] if "SLTT_DIST" in os.environ else []
    with tempfile.TemporaryDirectory() as folder:
        for claim in sys.argv[1:] or CHECKS:
            command = [sys.executable, "-B", HERE / "run.py", "--claim", claim, "--output", "short"]
            command += ["--short", "--threads", "1", *program]
            # A second call finds everything, and writes the same.
            results = []
            for _ in range(2):
                subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
                results.append((pathlib.Path(folder) / "short" / claim / "result.json").read_text())
            assert results[0] == results[1], claim
            CHECKS[claim](json.loads(results[0])["tables"])
            print(claim, "holds", flush=True)


if __name__ == "__main__":
    main()
