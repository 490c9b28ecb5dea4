"""The pre-activation ResNet of SLTT (Meng et al., ICCV 2023)."""

from math import ceil

from torch import Tensor, nn
from torch.nn import functional as F

from case import Case
from staged_network import Layers, StagedNetwork


class PreActivationBlock(nn.Module):
    """A residual block that normalises and fires before each convolution:

        s = neuron(bn1(x))
        y = conv2(neuron(bn2(conv1(s)))) + shortcut(s)

    Where shapes agree, the shortcut is the spikes themselves.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, layers: Layers) -> None:
        super().__init__()
        self.bn1, self.relu1 = layers.norm(inputs), layers.neuron()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1)
        self.bn2, self.relu2 = layers.norm(outputs), layers.neuron()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut: nn.Module = nn.Identity()
        if (inputs, stride) != (outputs, 1):
            self.shortcut = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        s = self.relu1(self.bn1(x))
        branch = self.conv2(self.relu2(self.bn2(self.conv1(s))))
        return branch + self.shortcut(s)


class PreActivationResNet(StagedNetwork):
    """ResNet of pre-activation blocks (He et al., ECCV 2016), with a 3x3 stem for small images."""

    def __init__(self, case: Case, layers: Layers) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(case.channels, case.width, 3, padding=1, bias=False)
        channels = self.add_residual_stages(
            case, case.width, lambda *shape: PreActivationBlock(*shape, layers))
        side = ceil(case.size / 2 ** (len(case.blocks) - 1))
        self.bn1, self.relu1 = layers.norm(channels), layers.neuron()
        self.linear = nn.Linear(channels * (side // 4) ** 2, case.classes)

    def stem(self, frame: Tensor) -> Tensor:
        return self.conv1(frame)

    def head(self, x: Tensor) -> Tensor:
        pooled = F.avg_pool2d(self.relu1(self.bn1(x)), 4)
        return self.linear(pooled.flatten(start_dim=1))
