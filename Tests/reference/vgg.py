"""The spiking VGG of SLTT (Meng et al., ICCV 2023)."""

from torch import Tensor, nn
from torch.nn import functional as F

from case import Case
from staged_network import Layers, StagedNetwork


class VGG(StagedNetwork):
    """VGG (Simonyan and Zisserman, ICLR 2015): stages of `neuron(bn(conv(x)))`, each with 2x2
    average pooling in the end, then pooling to 7x7 and one linear layer."""

    READ_NO_SPIKES = ("layer1.0",)

    def __init__(self, case: Case, layers: Layers) -> None:
        super().__init__()
        inputs = case.channels
        for stage, count in enumerate(case.blocks):
            outputs = case.width * 2 ** min(stage, 3)
            modules: list[nn.Module] = []
            for _ in range(count):
                convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
                # The published models have a dropout last, which counts in the modules' names.
                modules += [convolution, layers.norm(outputs), layers.neuron(), nn.Identity()]
                inputs = outputs
            self.add_stage([*modules, nn.AvgPool2d(2)])
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(inputs * 7 * 7, case.classes))

    def head(self, x: Tensor) -> Tensor:
        return self.classifier(F.adaptive_avg_pool2d(x, 7))
