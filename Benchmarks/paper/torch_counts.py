"""Counts the multiplications of backward passes while PyTorch computes them."""

import sys

import torch
import yaml
from common import REPOSITORY
from sltt_dist.builder import build
from sltt_dist.neurons import Fire
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

sys.path.append(str(REPOSITORY / "Benchmarks/pytorch"))
from training import Loss, gradients  # noqa: E402

PRODUCTS = (torch.ops.aten.mul.Tensor, torch.ops.aten.mul_.Tensor)


class ProductCounter(TorchDispatchMode):
    """The elements of products."""

    count = 0

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        result = function(*arguments, **(named or {}))
        if function in PRODUCTS:
            self.count += result.numel()
        return result


def backward_multiplications(recipe, width, classes, channels, method, timesteps, trained):
    """Those of one image: of convolutions and linear layers, and of neurons."""
    configuration = yaml.safe_load((REPOSITORY / "configs" / f"{recipe}.yaml").read_text())
    configuration["model"]["width"] = width
    size = configuration["data"]["image_size"]
    frames = torch.randn(timesteps, 1, channels, size, size)
    labels = torch.zeros(1, dtype=torch.int64)

    def macs(of_gradients):
        network = build(configuration, classes, channels, method == "bptt")
        for module in network.modules():
            # Nothing that a single image makes undefined.
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()
        with FlopCounterMode(display=False) as counter:
            of_gradients(network)
        return counter.get_total_flops() // 2

    def forward(network):
        with torch.no_grad():
            for frame in frames:
                network(frame)

    products = ProductCounter()
    backward = Fire.backward

    def counted(*arguments):
        with products:
            return backward(*arguments)

    Fire.backward = staticmethod(counted)
    try:
        loss = Loss(timesteps, 0, one_hot=False)
        total = macs(lambda network: gradients(network, frames, labels, loss, method, trained))
    finally:
        Fire.backward = staticmethod(backward)
    return {"dense layers": total - macs(forward), "neurons": products.count}
