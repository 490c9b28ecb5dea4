"""Trained networks as PyTorch modules."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from yaml import YAMLError

from sltt_dist import configuration
from sltt_dist.builder import build
from sltt_dist.configuration import Configuration
from sltt_dist.images import Normalization, Preparation
from sltt_dist.network import Network, reset
from sltt_dist.records import run_path

FILE_NAME = "model.safetensors"


class ModelError(Exception):
    """A file that does not hold a network, or one that this version cannot make."""


class Model(nn.Module):
    """A trained network with all of its time steps.

    Attributes:
        network: a single time step: a frame [N, C, H, W] to logits [N, classes]. Its state dict has the
            names of the published models.
        classes: names; a label is a position in this list.
        config: the configuration of the run, by section and key.
        timesteps: T, for how many time steps an image is shown.
        channels, image_size: of the input, in pixels.
        normalization: what becomes of an image's bytes; None where the input is frames of events.
        path: of the file.
    """

    def __init__(
        self, step: Network, classes: list[str], config: Configuration, channels: int,
        path: Path,
    ):  # fmt: skip
        super().__init__()
        self.network = step
        self.classes = classes
        self.config = config
        self.timesteps: int = config["method"]["timesteps"]
        self.channels = channels
        self.image_size: int = config["data"]["image_size"]
        self.path = path
        self.normalization = (
            None if channels == 2 else Normalization.named(config["data"]["normalization"])
        )

    def prepare(self, *images: Image.Image | numpy.ndarray) -> Tensor:
        """Images [N, C, H, W] as `sltt-dist evaluate` gives them to the network: framed, resized and
        normalized.

        Args:
            images: Pillow's, or arrays of bytes [H, W] or [H, W, 3].

        Raises:
            ModelError: where the network reads frames of events.
            ValueError: where `data.evaluation` has steps that this package has not.
        """
        if self.normalization is None:
            raise ModelError(
                "this network reads frames of events, which are not prepared from images"
            )
        preparation = Preparation(self.config["data"], self.channels)
        return torch.stack([preparation(image) for image in images])

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, classes], the mean of all time steps; the greatest is the predicted class.

        Args:
            x: images [N, C, H, W], or a frame for each time step [T, N, C, H, W].
        """
        return self.step_logits(x).mean(0)

    def step_logits(self, x: Tensor) -> Tensor:
        """Logits [T, N, classes] of each time step. `x` is as for `forward`."""
        expected = self.channels, self.image_size, self.image_size
        if x.dim() not in (4, 5) or x.shape[-3:] != expected:
            raise ValueError(
                f"an input is [N, C, H, W] or [T, N, C, H, W] with [C, H, W] = {list(expected)}, not"
                f" {list(x.shape)}"
            )
        frames = x if x.dim() == 5 else x.expand(self.timesteps, *x.shape)
        reset(self.network)
        logits = torch.stack([self.network(frame) for frame in frames])
        reset(self.network)
        return logits


def load(path: str | os.PathLike[str]) -> Model:
    """The trained network of a run as a module that computes what `sltt-dist evaluate` computes, in float32,
    by running statistics. `train()` makes it learn: gradients flow back through all time steps, by the
    neurons' surrogate gradients.

    Args:
        path: a run, of which the best checkpoint is taken, or else the latest; a checkpoint; or a file
            model.safetensors.

    Raises:
        ModelError: where there is none, or it cannot be made.
    """
    file = model_file(run_path(path))
    try:
        with safe_open(file, "pt") as opened:
            metadata = opened.metadata() or {}
            stored = {name: opened.get_tensor(name) for name in opened.keys()}
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{file}: {error}") from None
    if not {"configuration", "classes"} <= metadata.keys():
        raise ModelError(
            f"{file} is not a model of sltt-dist: its metadata lack configuration or classes; load the run"
            " or the checkpoint, or make a model of a state dict with sltt-dist import"
        )
    try:
        config = configuration.read(metadata["configuration"])
        classes = json.loads(metadata["classes"])
        tensors = _floats(stored)
        channels = input_channels(config, len(classes), tensors)
        step = build(config, len(classes), channels)
        model = Model(step, classes, config, channels, file)
        missing, unexpected = step.load_state_dict(tensors, strict=False)
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError, YAMLError) as error:
        raise ModelError(f"{file} has a network that this version cannot make: {error}") from error
    # PyTorch's batch norm counts its batches, which changes nothing.
    missing = [name for name in missing if not name.endswith(".num_batches_tracked")]
    if missing or unexpected:
        raise ModelError(
            f"{file} does not hold its network: missing {missing}, beside {unexpected}"
        )
    return model.eval()


def _floats(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights that were exported as int8, with a scale for each output channel, as numbers again."""
    quantized = [name for name, tensor in tensors.items() if tensor.dtype == torch.int8]
    for name in quantized:
        if name + ".scale" not in tensors:
            raise ValueError(f"{name} is int8, but {name}.scale is missing")
        scale = tensors.pop(name + ".scale")
        tensors[name] = tensors[name].float() * scale.reshape(-1, *[1] * (tensors[name].dim() - 1))
    return tensors


def model_file(path: Path) -> Path:
    """The file that a path means.

    Raises:
        ModelError
    """
    if path.is_file():
        return path
    if not path.exists():
        raise ModelError(f"{path} does not exist: name a run, a checkpoint, or a file {FILE_NAME}")
    checkpoints = path / "checkpoints"
    # Where links got lost in copying, the newest one is the last by name.
    newest = sorted(checkpoints.glob("iteration-*"), reverse=True)
    for folder in (checkpoints / "best", checkpoints / "latest", path, *newest):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    raise ModelError(f"{path} holds no {FILE_NAME}: it is neither a run with a checkpoint, nor one")


def input_channels(config: Configuration, classes: int, tensors: dict[str, Tensor]) -> int:
    """Those of the first convolution, which reads the image. A configuration may leave them to the data."""
    with torch.device("meta"):
        unfilled = build(config, classes, channels=1)
    modules = unfilled.named_modules()
    stem = next(name for name, module in modules if isinstance(module, nn.Conv2d))
    if f"{stem}.weight" not in tensors:
        raise ValueError(f"its weights lack {stem}.weight")
    return tensors[f"{stem}.weight"].shape[1]
