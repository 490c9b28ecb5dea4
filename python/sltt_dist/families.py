"""The published families of networks, written layer by layer as in `model.layers` of a configuration."""

from typing import Any

Part = dict[str, dict[str, Any]]
"""A kind of layer, and its parameters."""

SPIKE_GAIN = 2.74  # Restores unit variance after a spike, in networks without normalization.
BRANCH_GAIN = 0.2  # Of a residual branch, in networks without normalization.

# As published: the family, and residual blocks (ResNets) or convolutions (VGG) of each stage.
ARCHITECTURES: dict[str, tuple[str, list[int]]] = {
    "resnet18": ("resnet", [2, 2, 2, 2]),
    "resnet34": ("resnet", [3, 4, 6, 3]),
    "nf-resnet34": ("nf-resnet", [3, 4, 6, 3]),
    "nf-resnet50": ("nf-resnet-bottleneck", [3, 4, 6, 3]),
    "nf-resnet101": ("nf-resnet-bottleneck", [3, 4, 23, 3]),
    "vgg11": ("vgg", [1, 1, 2, 2, 2]),
    "vgg13": ("vgg", [2, 2, 2, 2, 2]),
    "vgg16": ("vgg", [2, 2, 3, 3, 3]),
    "vgg19": ("vgg", [2, 2, 4, 4, 4]),
    "sew-resnet18": ("sew-resnet", [2, 2, 2, 2]),
    "sew-resnet34": ("sew-resnet", [3, 4, 6, 3]),
    "sew-resnet50": ("sew-resnet-bottleneck", [3, 4, 6, 3]),
}


def family_layers(family: str, blocks: list[int], width: int, stem: str) -> list[Part]:
    """The layers of a network. `stem` is of the families that have a choice."""
    if family == "resnet":
        return preactivation_resnet(blocks, width)
    if family == "vgg":
        return vgg(blocks, width)
    is_bottleneck = family.endswith("-bottleneck")
    if family.startswith("nf-resnet"):
        return normalizer_free_resnet(blocks, width, is_bottleneck)
    if family.startswith("sew-resnet"):
        return sew_resnet(blocks, width, stem, is_bottleneck)
    raise ValueError(f"there is no family '{family}'")


def sequence(layers: list[Part], name: str | None = None) -> Part:
    return {"sequence": {"layers": layers} | ({"name": name} if name else {})}


def convolution(name: str, channels: int, kernel: int, stride: int = 1, **others: Any) -> Part:
    shape = {"name": name, "channels": channels, "kernel": kernel, "stride": stride}
    return {"convolution": shape | others}


def standardized(name: str, channels: int, kernel: int, stride: int = 1) -> Part:
    return convolution(name, channels, kernel, stride, standardized=True)


def normalized_neuron(norm: str, neuron: str) -> list[Part]:
    return [{"batch_norm": {"name": norm}}, {"neuron": {"name": neuron}}]


def stages(blocks: list[int]) -> list[tuple[str, int, list[int]]]:
    """Of each stage of a ResNet the name, how many times wider than the first it is, and the strides of
    its blocks."""
    return [
        (f"layer{stage + 1}", 1 << stage, [2 if stage > 0 else 1] + [1] * (count - 1))
        for stage, count in enumerate(blocks)
    ]


def block_convolutions(
    planes: int, outputs: int, stride: int, is_bottleneck: bool
) -> list[tuple[int, int, int]]:
    """Channels, kernels and strides: two 3x3 convolutions, or 1x1, 3x3, 1x1 as a bottleneck."""
    if is_bottleneck:
        return [(planes, 1, 1), (planes, 3, stride), (outputs, 1, 1)]
    return [(planes, 3, stride), (outputs, 3, 1)]


def preactivation_resnet(blocks: list[int], width: int) -> list[Part]:
    """Pre-activation ResNet with batch norm and a 3x3 stem, for small images."""

    def block(channels: int, stride: int) -> Part:
        """s = lif(bn(x)); y = conv(lif(bn(conv(s)))) + shortcut(s), or + s where shapes agree."""
        residual: dict[str, Any] = {
            "branch": [
                convolution("conv1", channels, 3, stride),
                *normalized_neuron("bn2", "relu2"),
                {"dropout": {"name": "dropout"}},
                convolution("conv2", channels, 3),
            ]
        }
        if stride > 1:
            shortcut = convolution("shortcut", channels, 1, stride)
            residual["shortcut"] = shortcut["convolution"]
        return sequence([*normalized_neuron("bn1", "relu1"), {"residual": residual}])

    return [
        convolution("conv1", width, 3, bias="none"),
        *(
            sequence([block(width * factor, stride) for stride in strides], name)
            for name, factor, strides in stages(blocks)
        ),
        *normalized_neuron("bn1", "relu1"),
        {"average_pool": {"name": "pool", "kernel": 4}},
        {"linear": {"name": "linear"}},
    ]


def normalizer_free_resnet(blocks: list[int], width: int, is_bottleneck: bool) -> list[Part]:
    """ResNet without normalization, with a 7x7 stem. `variance` is that of what flows between blocks."""

    def block(planes: int, stride: int, downsamples: bool, variance: float) -> Part:
        """s = SPIKE_GAIN lif(x / sqrt(variance)); y = BRANCH_GAIN skipinit_gain conv(... conv(s)) +
        (downsample(s) or x)."""
        outputs = planes * expansion
        branch: list[Part] = []
        shapes = block_convolutions(planes, outputs, stride, is_bottleneck)
        for number, shape in enumerate(shapes, 1):
            scale = {"input_scale": variance**-0.5} if number == 1 else {}
            neuron = {"name": f"sn{number}", "amplitude": SPIKE_GAIN} | scale
            branch += [{"neuron": neuron}, standardized(f"conv{number}", *shape)]
        if not downsamples:
            return sequence([{"residual": {"branch": branch, "skip_init": BRANCH_GAIN}}])
        shortcut = standardized("downsample", outputs, 1, stride)["convolution"]
        residual = {"branch": branch[1:], "shortcut": shortcut, "skip_init": BRANCH_GAIN}
        return sequence([branch[0], {"residual": residual}])

    expansion = 4 if is_bottleneck else 1
    layers = [
        standardized("conv1", width, 7, 2),
        {"average_pool": {"name": "maxpool", "kernel": 3, "stride": 2, "padding": 1}},
    ]
    channels, variance = width, 1.0
    for name, factor, strides in stages(blocks):
        stage = []
        for index, stride in enumerate(strides):
            outputs = width * factor * expansion
            downsamples = index == 0 and (stride, channels) != (1, outputs)
            stage.append(block(width * factor, stride, downsamples, variance))
            variance = (1 if downsamples else variance) + BRANCH_GAIN**2
            channels = outputs
        layers.append(sequence(stage, name))
    return [*layers, {"adaptive_pool": {"name": "avgpool", "size": 1}}, {"linear": {"name": "fc"}}]


def vgg(blocks: list[int], width: int) -> list[Part]:
    """Stages of `s = dropout(lif(bn(conv(x))))` and 2x2 average pooling."""

    def stage(index: int, count: int) -> Part:
        unit: list[Part] = [
            {"convolution": {"channels": width << min(index, 3), "kernel": 3}},
            {"batch_norm": {}},
            {"neuron": {}},
            {"dropout": {}},
        ]
        return sequence([*(unit * count), {"average_pool": {"kernel": 2}}], f"layer{index + 1}")

    return [
        *(stage(index, count) for index, count in enumerate(blocks)),
        {"adaptive_pool": {"name": "avgpool", "size": 7}},
        sequence([{"linear": {"name": "1"}}], "classifier"),
    ]


def sew_resnet(blocks: list[int], width: int, stem: str, is_bottleneck: bool) -> list[Part]:
    """Spike-element-wise ResNet, whose blocks add spikes to spikes, with SpikingJelly's names."""

    def block(planes: int, stride: int, downsamples: bool) -> Part:
        """y = lif(bn(conv(... lif(bn(conv(x)))))) + (lif(bn(conv(x))) or x)."""
        outputs = planes * expansion
        branch: list[Part] = []
        shapes = block_convolutions(planes, outputs, stride, is_bottleneck)
        for number, shape in enumerate(shapes, 1):
            branch.append(convolution(f"conv{number}", *shape, bias="none"))
            branch += normalized_neuron(f"bn{number}", f"sn{number}")
        if not downsamples:
            return sequence([{"residual": {"branch": branch}}])
        shortcut = [
            sequence(
                [convolution("0", outputs, 1, stride, bias="none"), {"batch_norm": {}}],
                "downsample",
            ),
            {"neuron": {"name": "downsample_sn"}},
        ]
        return sequence([{"residual": {"branch": branch, "shortcut": shortcut}}])

    expansion = 4 if is_bottleneck else 1
    kernel, stride = (7, 2) if stem == "imagenet" else (3, 1)
    layers = [
        convolution("conv1", width, kernel, stride, bias="none"),
        *normalized_neuron("bn1", "sn1"),
    ]
    if stem == "imagenet":
        layers.append({"max_pool": {"name": "maxpool", "kernel": 3, "stride": 2, "padding": 1}})
    channels = width
    for name, factor, strides in stages(blocks):
        stage = []
        for stride in strides:
            outputs = width * factor * expansion
            stage.append(block(width * factor, stride, (stride, channels) != (1, outputs)))
            channels = outputs
        layers.append(sequence(stage, name))
    return [*layers, {"adaptive_pool": {"name": "avgpool", "size": 1}}, {"linear": {"name": "fc"}}]
