#!/usr/bin/env python3
"""Makes what torchvision's PIL back end gives for single operations of augmentation, on rgb.png.

    pip install torchvision numpy
    ./make_operations.py

operations.json     the operations, in order: [name, magnitude]
operations.rgb      what they give, 27 x 19 pixels each, raw bytes
operations.gray     the same for the gray image
magnitudes.json     the bins of RandAugment (for 224 x 192 pixels) and TrivialAugment
auto_augment.json   the pairs of AutoAugment's policies: [name, probability, magnitude] (for 224 x 192
                    pixels; 0 where an operation has none)
"""

import json

import torch
from PIL import Image
from torchvision.transforms import (
    AutoAugment, AutoAugmentPolicy, InterpolationMode, RandAugment, TrivialAugmentWide)
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import _apply_op

picture = Image.open("rgb.png").convert("RGB")

cases = [(name, 0) for name in ("Identity", "AutoContrast", "Equalize", "Invert")]
for name, magnitudes in {
    "ShearX": (0.09, -0.99, 0.3),
    "ShearY": (0.13, -0.29999998211860657, 0.99),
    "TranslateX": (3.9, -12.7, 32, -27),
    "TranslateY": (0.6, -4.1, 18.9, -19),
    "Rotate": (9, -30, 4.5, 135, -90, 90, 67.5),
    "Brightness": (0.27, -0.9, 0.99, -0.33),
    "Color": (0.27, -0.9, 0.99, -0.33),
    "Contrast": (0.27, -0.9, 0.99, -0.33),
    "Sharpness": (0.27, -0.9, 0.99, -0.33),
    "Posterize": (8, 5, 2),
    "Solarize": (255, 178.5, 0, 100),
    "Hue": (0.1, -0.1, 0.5, -0.5, 0.003, 0.0),
}.items():
    cases += [(name, magnitude) for magnitude in magnitudes]


def apply(image, name, magnitude):
    if name == "Hue":
        return F.adjust_hue(image, magnitude)
    return _apply_op(image, name, magnitude, InterpolationMode.NEAREST, None)


json.dump(cases, open("operations.json", "w"))
for mode, suffix in (("RGB", "rgb"), ("L", "gray")):
    with open("operations." + suffix, "wb") as file:
        for case in cases:
            file.write(apply(picture.convert(mode), *case).tobytes())


def bins(space):
    return {name: [float(value) for value in torch.atleast_1d(values)]
            for name, (values, _) in space.items()}


json.dump(
    {
        "rand 31": bins(RandAugment()._augmentation_space(31, (192, 224))),
        "rand 10": bins(RandAugment()._augmentation_space(10, (192, 224))),
        "trivial 31": bins(TrivialAugmentWide()._augmentation_space(31)),
    },
    open("magnitudes.json", "w"))


def pairs(policy):
    augment = AutoAugment(policy)
    space = augment._augmentation_space(10, (192, 224))
    return [[[name, p, 0 if bin is None else float(space[name][0][bin])] for name, p, bin in pair]
            for pair in augment.policies]


policies = (AutoAugmentPolicy.CIFAR10, AutoAugmentPolicy.IMAGENET)
json.dump({policy.value: pairs(policy) for policy in policies}, open("auto_augment.json", "w"))
