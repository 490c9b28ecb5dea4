"""Checks the networks of sltt_dist, the Python package, against the reference results of sltt-dist's own
tests: logits, loss, gradients and running statistics of one iteration, for all families and neurons and the
methods of training.py.

    python check_models.py [--compile] [PATTERN]

PATTERN selects cases, such as 'vgg11.*'. Prints the largest difference of each case, as a share of the
largest entry of its tensor; ends with status 1 where one is above 1e-4. Needs sltt_dist of this repository,
with torch.
"""

import argparse
import json
import pathlib
import sys

import torch
from safetensors import safe_open
from sltt_dist.builder import build
from training import Loss, SharedWeights, gradients

FIXTURES = pathlib.Path(__file__).resolve().parents[2] / "Tests/TrainingTests/Fixtures"
TOLERANCE = 1e-4
# As far as these networks train in PyTorch, by the keys of the metadata.
MODELS = {"method": ("sltt", "sltt-k", "bptt"), "normalization": ("batch", None)}
VGG11 = [1, 1, 2, 2, 2]
# The reference's names of families that configurations name differently.
FAMILIES = {
    "nfresnet": "nf-resnet",
    "nfresnet-bottleneck": "nf-resnet-bottleneck",
    "vgg11": "vgg",
}
# Keys of the section `neuron`, by the reference's.
NEURON = {
    "neuron": "kind", "tau": "tau", "threshold": "threshold_rule", "reset": "reset",
    "detach_reset": "detach_reset", "levels": "levels", "firing": "firing", "surrogate": "surrogate",
}  # fmt: skip


def network_of(case):
    family = case["family"]
    model = {"family": FAMILIES.get(family, family), "blocks": case["blocks"] or VGG11}
    model |= {"width": case["width"], "stem": case.get("stem")}
    configuration = {
        "model": model,
        "data": {"image_size": case["size"]},
        # Files leave out what was added later.
        "neuron": {ours: case[theirs] for theirs, ours in NEURON.items() if theirs in case},
    }
    return build(configuration, case["classes"], case["channels"], case["method"] == "bptt")


def case_of(path):
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["config"])


def is_modelled(case):
    return all(case.get(key) in values for key, values in MODELS.items())


def differences(path, compiles):
    case = case_of(path)
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}

    def named(prefix):
        return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}

    network = network_of(case)
    state = {n: t.float() for n, t in (named("param.") | named("buffer_before.")).items()}
    missing, unexpected = network.load_state_dict(state, strict=False)
    if unexpected or any("num_batches" not in name for name in missing):
        sys.exit(f"{path.name}: names differ: {missing} {unexpected}")

    timesteps = case["timesteps"]
    frames = tensors["frames"].float()
    frames = frames.expand(timesteps, *frames.shape[1:])
    loss = Loss(timesteps, case["mse_weight"], case["mse_target"] == "one-hot")
    trained = case["chosen_timesteps"] if case["method"] == "sltt-k" else range(timesteps)
    with SharedWeights(network):
        callee = torch.compile(network) if compiles else network
        logits, total = gradients(callee, frames, tensors["labels"], loss, case["method"], trained)

    found = {"logits": logits, "loss": total}
    found |= {f"grad.{name}": p.grad for name, p in network.named_parameters()}
    found |= {f"buffer_after.{name}": tensor for name, tensor in network.named_buffers()}
    for name, expected in tensors.items():
        if name in ("logits", "loss") or name.startswith(("grad.", "buffer_after.")):
            scale = expected.abs().max()
            if scale < 1e-12:
                # A bias before batch norm has no gradient but rounding errors, which are as large as
                # those of the weights beside it.
                scale = tensors[name.replace(".bias", ".weight")].abs().max()
            difference = (found[name] - expected).abs().max() / scale
            # Not a number would be passed over by max().
            yield float(difference.nan_to_num(nan=torch.inf)), name


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("pattern", nargs="?", default="*", metavar="PATTERN")
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()

    paths = sorted(FIXTURES.glob(f"{arguments.pattern}.safetensors"))
    paths = [path for path in paths if is_modelled(case_of(path))]
    if not paths:
        sys.exit(f"no reference results {arguments.pattern} of these models in {FIXTURES}")
    worst = 0
    for path in paths:
        difference, name = max(differences(path, arguments.compile))
        worst = max(worst, difference)
        print(f"{path.stem:28} {difference:.1e}  {name}", flush=True)
        torch.compiler.reset()
    if not worst <= TOLERANCE:
        sys.exit(f"differs by {worst:.1e}, more than {TOLERANCE}")


if __name__ == "__main__":
    main()
