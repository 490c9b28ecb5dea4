"""Network inputs of images, as the program makes them to evaluate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from PIL import Image
from torch import Tensor

from sltt_dist.configuration import choice

# Mean and deviation of each channel, in units of the full range.
STATISTICS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
    "cifar100": ((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "mnist": ((0.1307,), (0.3081,)),
}
SMALL_SIDE = 64  # Up to so many pixels, AutoAugment takes photographs for small ones.


@dataclass(frozen=True)
class Normalization:
    """(x / 255 - mean) / deviation of bytes x, by numbers of each channel or the same for all."""

    name: str
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @staticmethod
    def named(name: str) -> Normalization:
        """A value of `data.normalization`."""
        plain = {"none": ((0.0,), (1 / 255,)), "unit": ((0.0,), (1.0,))}
        mean, deviation = choice(STATISTICS | plain, "data.normalization", name)
        return Normalization(name, mean, deviation)

    def __call__(self, image: Image.Image) -> Tensor:
        """[C, H, W]"""
        pixels = torch.from_numpy(numpy.array(image)).float() / 255
        normalized = (pixels.unsqueeze(-1) if pixels.dim() == 2 else pixels) - torch.tensor(
            self.mean
        )
        return (normalized / torch.tensor(self.deviation)).permute(2, 0, 1).contiguous()


class Preparation:
    """Frames, resizes and normalizes images as the section `data` of a configuration says.

    Images are Pillow's, or arrays of bytes [H, W] or [H, W, 3].
    """

    def __init__(self, data: dict[str, Any], channels: int):
        """
        Raises:
            ValueError: where the section has what this version does not know.
        """
        self.size: int = data.get("image_size", 28)
        self.mode = "L" if channels == 1 else "RGB"
        self.normalization = Normalization.named(data.get("normalization", "mnist"))
        self.steps = [framing(step, self.size) for step in evaluation_steps(data, self.size)]

    def __call__(self, image: Image.Image | numpy.ndarray) -> Tensor:
        """[C, size, size]"""
        if not isinstance(image, Image.Image):
            image = Image.fromarray(image)
        if image.mode in ("I", "I;16", "I;16B"):
            # Of 16-bit gray the program takes the upper 8 bits; Pillow makes what is above 255 white.
            image = Image.fromarray((numpy.asarray(image) >> 8).astype(numpy.uint8))
        image = image.convert(self.mode)
        for step in self.steps:
            image = step(image)
        return self.normalization(image)


def evaluation_steps(data: dict[str, Any], size: int) -> list[Any]:
    """The steps of `data.evaluation` or, without any, the usual ones: the centre of the resized image.
    Networks that are trained on random regions see it enlarged, to 8/7 of its size."""
    augmentation = data.get("evaluation") or data.get("augmentation", "shift")
    if isinstance(data.get("evaluation"), list):
        return data["evaluation"]
    if isinstance(augmentation, list):
        is_enlarged = any("random_resized_crop" in step for step in augmentation)
    else:
        presets = {"none": False, "cifar": False, "shift": False, "imagenet": True}
        presets["auto_augment"] = size > SMALL_SIDE
        is_enlarged = choice(presets, "augmentation", augmentation)
    return [{"resize": {"size": (size * 8 + 3) // 7 if is_enlarged else size}}, "center_crop"]


def framing(step: Any, size: int) -> Callable[[Image.Image], Image.Image]:
    """A step that frames an image, with the network's size where it has none of its own."""
    name, parameters = (step, {}) if isinstance(step, str) else next(iter(step.items()))
    side = (parameters or {}).get("size") or size
    if name == "resize":
        return lambda image: resized(image, side)
    if name == "center_crop":
        return lambda image: center_cropped(image, side)
    raise ValueError(f"data.evaluation has the step '{name}', which this package cannot do")


def resized(image: Image.Image, side: int) -> Image.Image:
    """The shorter side becomes `side`."""
    width, height = image.size
    shorter = min(width, height)
    return image.resize(
        (side * width // shorter, side * height // shorter), Image.Resampling.BILINEAR
    )


def center_cropped(image: Image.Image, side: int) -> Image.Image:
    """With a margin of zeros where the image is smaller."""
    left, top = (offset(length - side) for length in image.size)
    return image.crop((left, top, left + side, top + side))


def offset(excess: int) -> int:
    """Half of it, where ties round to even; or minus half of what is missing."""
    return round(excess / 2) if excess >= 0 else -(-excess // 2)
