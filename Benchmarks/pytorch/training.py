"""How the networks of sltt_dist are trained in PyTorch: the loss, and the gradients of an iteration."""

import torch
import torch.nn.functional as F
from sltt_dist import builder
from sltt_dist.layers import ScaledWSConv2d


def build(architecture, classes, channels, through_time, dropout=0.0):
    """A network as published, of width 64; `through_time` for BPTT."""
    model = {"architecture": architecture, "width": 64, "dropout": dropout}
    return builder.build({"model": model}, classes, channels, through_time)


class SharedWeights:
    """Within it, standardized weights are computed once for all time steps; their gradients are taken
    through the standardization once, at the end. The published code does both at every time step."""

    def __init__(self, network):
        self.convolutions = [m for m in network.modules() if isinstance(m, ScaledWSConv2d)]

    def __enter__(self):
        self.effective = [convolution.effective() for convolution in self.convolutions]
        for convolution, pair in zip(self.convolutions, self.effective):
            convolution.shared = tuple(tensor.detach().requires_grad_() for tensor in pair)

    def __exit__(self, kind, *_):
        used = [tensor for convolution in self.convolutions for tensor in convolution.shared]
        made = [tensor for pair in self.effective for tensor in pair]
        for convolution in self.convolutions:
            convolution.shared = None
        if kind is None:
            torch.autograd.backward(made, [tensor.grad for tensor in used])


class Loss:
    """Of one time step: ((1 - w) cross-entropy + w squared error) / T."""

    def __init__(self, timesteps, mse_weight, one_hot):
        self.timesteps, self.mse_weight, self.one_hot = timesteps, mse_weight, one_hot

    def __call__(self, logits, labels, share=1):
        """The loss of a part of the batch, which is this share of it."""
        logits = logits.float()
        loss = F.cross_entropy(logits, labels)
        if self.mse_weight > 0:
            target = torch.ones_like(logits)
            if self.one_hot:
                target = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
            loss = torch.lerp(loss, F.mse_loss(logits, target), self.mse_weight)
        return share * loss / self.timesteps


def gradients(network, frames, labels, loss, method, trained):
    """Adds the gradients of one iteration up in the parameters; returns logits [T, N, classes] and the
    loss over the `trained` time steps. `frames` yields one frame a time step."""
    logits, total, pending = [], 0, 0
    for timestep, frame in enumerate(frames):
        with torch.set_grad_enabled(timestep in trained):
            y = network(frame)
        logits.append(y.detach())
        if timestep not in trained:
            continue
        step = loss(y, labels)
        total += step.detach()
        if method == "bptt":
            pending = pending + step
        else:
            step.backward()
    if method == "bptt":
        pending.backward()
    return torch.stack(logits), total
