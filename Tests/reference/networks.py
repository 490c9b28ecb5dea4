"""The families of networks, whose parameters have the names and shapes of the published models."""

from typing import Callable, Iterable

from torch import Tensor

from case import Case, Table
from neurons import NEURONS
from normalizations import NORMALIZATIONS
from normalizer_free_resnet import NormalizerFreeBottleneckResNet, NormalizerFreeResNet
from preactivation_resnet import PreActivationResNet
from sew_resnet import SpikeElementWiseBottleneckResNet, SpikeElementWiseResNet
from staged_network import Layers, StagedNetwork
from vgg import VGG

FAMILIES: Table[Callable[[Case, Layers], StagedNetwork]] = Table(
    "family",
    {
        "resnet": PreActivationResNet,
        "nfresnet": NormalizerFreeResNet,
        "nfresnet-bottleneck": NormalizerFreeBottleneckResNet,
        "vgg11": VGG,
        "sew-resnet": SpikeElementWiseResNet,
        "sew-resnet-bottleneck": SpikeElementWiseBottleneckResNet,
    })


def build(case: Case) -> StagedNetwork:
    """The case's network in training mode, in float64, with PyTorch's initial values."""
    layers = Layers(lambda: NEURONS[case.neuron](case), NORMALIZATIONS[case.normalization])
    return FAMILIES[case.family](case, layers).double().train()


def float_tensors(named: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
    """Copies of parameters or buffers; without what batch norm counts in integers."""
    return {name: t.detach().clone() for name, t in named if t.is_floating_point()}
