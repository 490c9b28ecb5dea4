"""Online training through time (OTTT; Xiao et al., NeurIPS 2022)."""

from torch import Tensor, nn

from backpropagation import sltt
from case import Case
from gradients import with_gradient_of
from losses import Loss
from neurons import neurons_of
from replacement import replaced
from staged_network import StagedNetwork


class Traced:
    """A convolution or linear layer W whose weights learn from a trace of the spikes s it reads:

        y[t] = W s[t] + bias
        a[t] = decay a[t-1] + s[t]
        dW = Σ dy[t] a[t]ᵀ,   ds[t] = Wᵀ dy[t]

    Of standardised weights, W is the standardised one.
    """

    def __init__(self, layer: nn.Module, decay: float) -> None:
        self.forward = layer.forward
        self.decay = decay
        self.trace: Tensor | float = 0.0

    def __call__(self, spikes: Tensor) -> Tensor:
        self.trace = self.decay * self.trace + spikes.detach()
        # The gradient of s does not depend on the value of s.
        learning = self.forward(with_gradient_of(spikes, self.trace))
        return with_gradient_of(learning, self.forward(spikes))


def ottt(
    network: StagedNetwork, frames: Tensor, loss: Loss, case: Case
) -> tuple[Tensor, float]:
    """SLTT with traces, which decay like the potential, in all layers that read spikes.

    The weights are updated after the iteration (OTTT_A).
    """
    decay = neurons_of(network)[0].decay
    traced = {
        layer: Traced(layer, decay)
        for name, layer in network.named_modules()
        if isinstance(layer, (nn.Conv2d, nn.Linear)) and name not in network.READ_NO_SPIKES
    }
    with replaced(traced):
        return sltt(network, frames, loss, case)
