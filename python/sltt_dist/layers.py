"""Layers that PyTorch has not."""

import torch
from torch import Tensor, nn


class Dropout(nn.Module):
    """Dropout with one mask for all time steps of a sample."""

    def __init__(self, p: float):
        super().__init__()
        self.p = p
        self.reset()

    def reset(self) -> None:
        self.mask: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        if self.mask is None:
            self.mask = torch.empty_like(x).bernoulli_(1 - self.p).div_(1 - self.p)
        return x * self.mask

    def extra_repr(self) -> str:
        return f"p={self.p}"


class OnlineNorm(nn.BatchNorm2d):
    """Normalization by statistics over samples, pixels and time steps (OSR: Zhu et al., ICLR 2024), for
    evaluation."""

    def __init__(self, channels: int):
        super().__init__(channels, eps=1e-4)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            raise NotImplementedError(
                "online normalization is trained by sltt-dist only: call eval()"
            )
        return super().forward(x)


class Linear(nn.Linear):
    """Reads all values of a sample, and gives an image of one pixel [N, features, 1, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(1))[:, :, None, None]


class ScaledWSConv2d(nn.Conv2d):
    """Convolution with weights standardized for each output channel, times a learnt gain.

    Factors of its input and output are applied to the weights, which are far fewer than activations.
    """

    bias: nn.Parameter

    def __init__(self, *arguments, input_gain: float = 1.0, **options):
        super().__init__(*arguments, **options)
        self.gain = nn.Parameter(torch.ones(self.out_channels, 1, 1, 1))
        self.input_gain = input_gain
        # A learnt factor of the output, which is a parameter of another module, and a constant one.
        self.output_gain: tuple[nn.Parameter, float] | None = None
        # What `effective` has given, for all time steps of an iteration.
        self.shared: tuple[Tensor, Tensor] | None = None

    def effective(self) -> tuple[Tensor, Tensor]:
        """Weights and bias with all gains."""
        w = self.weight
        variance, mean = torch.var_mean(w, dim=(1, 2, 3), keepdim=True)
        factor = self.gain * self.input_gain * torch.rsqrt(variance * w[0].numel() + 1e-4)
        if self.output_gain is None:
            return (w - mean) * factor, self.bias
        learnt, constant = self.output_gain
        output_gain = learnt * constant
        return (w - mean) * (factor * output_gain), self.bias * output_gain

    def forward(self, x: Tensor) -> Tensor:
        w, bias = self.shared if self.shared is not None else self.effective()
        return self._conv_forward(x, w, bias)
