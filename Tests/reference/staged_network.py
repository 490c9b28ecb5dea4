"""What the families of networks have in common."""

from dataclasses import dataclass
from typing import Callable, Iterable

from torch import Tensor, nn

from case import Case
from neurons import Neuron


@dataclass(frozen=True)
class Layers:
    """Makes the layers that differ from case to case."""

    neuron: Callable[[], Neuron]
    norm: Callable[[int], nn.BatchNorm2d]
    """Takes the number of channels."""


class StagedNetwork(nn.Module):
    """A stem, stages `layer1`, `layer2`, … and a head.

    Called once a time step: frames [N, C, H, W] to logits [N, classes].
    """

    READ_NO_SPIKES = ("conv1",)
    """The convolutions and linear layers that read images or real values."""

    def __init__(self) -> None:
        super().__init__()
        self.stage_names: list[str] = []

    def add_stage(self, modules: Iterable[nn.Module]) -> None:
        name = f"layer{len(self.stage_names) + 1}"
        self.stage_names.append(name)
        self.add_module(name, nn.Sequential(*modules))

    def add_residual_stages(
        self, case: Case, channels: int, block: Callable[[int, int, int], nn.Module],
        expansion: int = 1,
    ) -> int:
        """The stages of a ResNet, after a stem with these channels.

        Each stage has twice the channels of the one before, and halves the image. `block` makes a
        block from the channels that enter and leave it, and its stride. Returns the channels that
        leave the last one.
        """
        for stage, count in enumerate(case.blocks):
            outputs = expansion * case.width * 2**stage
            stride = 1 if stage == 0 else 2
            first = block(channels, outputs, stride)
            self.add_stage([first, *(block(outputs, outputs, 1) for _ in range(count - 1))])
            channels = outputs
        return channels

    def stem(self, frame: Tensor) -> Tensor:
        return frame

    def head(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def forward(self, frame: Tensor) -> Tensor:
        x = self.stem(frame)
        for name in self.stage_names:
            x = self.get_submodule(name)(x)
        return self.head(x)
