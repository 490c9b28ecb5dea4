"""The published spiking networks in PyTorch, made to be fast: the opponent of sltt-dist.

A network is called once a time step. Neurons and dropout keep their state between calls; `reset`
ends a sample. Parameter names and shapes are those of the published models, and of sltt-dist's
checkpoints. Frames are [N, C, H, W], in either memory format.
"""

import torch
import torch.nn.functional as F
from torch import nn

SPIKE_GAIN = 2.74  # Restores unit variance after a spike, in networks without normalization.
BRANCH_GAIN = 0.2  # Of a residual branch, in networks without normalization.


def triangle(z):
    return z.abs().neg_().add_(1).clamp_min_(0)


def rectangle(z):
    return (z.abs() <= 0.5).to(z.dtype)


def sigmoid(z):
    y = torch.sigmoid(4 * z)
    return 4 * y * (1 - y)


SURROGATES = {"triangle": triangle, "rectangle": rectangle, "sigmoid": sigmoid}


class Fire(torch.autograd.Function):
    """u = decay v + x, s = [u >= 1], v' = u - s; returns s and v'.

    The potential is float32 under autocast too, while spikes, which are exact in any format, have
    the type of x. Backward needs u = v' + s; both are alive anyway, as the neuron's state and as the
    input of the next convolution, so nothing is kept for it. Without `through_time`, v and v' have
    no gradient.
    """

    @staticmethod
    def forward(ctx, x, v, decay, derivative, through_time):
        u = x.float() if v is None else torch.add(x, v, alpha=decay)
        s = (u >= 1).to(x.dtype)
        potential = u - s
        ctx.save_for_backward(potential, s)
        ctx.decay, ctx.derivative = decay, derivative
        ctx.has_past = v is not None and through_time
        ctx.set_materialize_grads(False)
        if not through_time:
            ctx.mark_non_differentiable(potential)
        return s, potential

    @staticmethod
    def backward(ctx, gs, gv):
        potential, s = ctx.saved_tensors
        slope = ctx.derivative((potential + s).sub_(1))
        if gv is None:
            g = slope.mul_(gs)
        else:  # v' depends on u directly and, by the reset, through s.
            g = slope.mul_(gs - gv if gs is not None else -gv).add_(gv)
        return g.to(s.dtype), g * ctx.decay if ctx.has_past else None, None, None, None


class LIF(nn.Module):
    """Leaky integrate-and-fire neurons with threshold 1 and soft reset."""

    def __init__(self, tau, surrogate, through_time):
        super().__init__()
        self.decay = 1 - 1 / tau
        self.derivative = SURROGATES[surrogate]
        self.through_time = through_time
        self.v = None

    def forward(self, x):
        s, self.v = Fire.apply(x, self.v, self.decay, self.derivative, self.through_time)
        return s

    def reset(self):
        self.v = None


class Dropout(nn.Module):
    """Dropout with one mask for all time steps of a sample."""

    def __init__(self, p):
        super().__init__()
        self.p = p
        self.mask = None

    def forward(self, x):
        if self.mask is None:
            self.mask = torch.empty_like(x).bernoulli_(1 - self.p).div_(1 - self.p)
        return x * self.mask

    def reset(self):
        self.mask = None


def reset(network):
    for module in network.modules():
        if isinstance(module, (LIF, Dropout)):
            module.reset()


class PreActivationBlock(nn.Module):
    """s = lif(bn(x)); y = conv(lif(bn(conv(s)))) + shortcut(s), or + s where shapes agree."""

    def __init__(self, inputs, outputs, stride, neuron):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.relu1 = neuron()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu2 = neuron()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        changes_shape = stride != 1 or inputs != outputs
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride) if changes_shape else nn.Identity()

    def forward(self, x):
        s = self.relu1(self.bn1(x))
        return self.conv2(self.relu2(self.bn2(self.conv1(s)))) + self.shortcut(s)


class PreActivationResNet(nn.Module):
    def __init__(self, blocks, width, classes, channels, neuron):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        inputs, self.stages = width, []
        for stage, count in enumerate(blocks):
            layer = nn.Sequential()
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                layer.append(PreActivationBlock(inputs, width << stage, stride, neuron))
                inputs = width << stage
            self.stages.append(f"layer{stage + 1}")
            self.add_module(self.stages[-1], layer)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.relu1 = neuron()
        self.linear = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.conv1(x)
        for name in self.stages:
            x = getattr(self, name)(x)
        return self.linear(F.avg_pool2d(self.relu1(self.bn1(x)), 4).flatten(1))


class ScaledWSConv2d(nn.Conv2d):
    """Convolution with weights standardized for each output channel, times a learnt gain.

    Factors of its input and output are applied to the weights, which are far fewer than activations.
    """

    def __init__(self, *arguments, input_gain=1.0, output_gain=None, **options):
        super().__init__(*arguments, **options)
        self.gain = nn.Parameter(torch.ones(self.out_channels, 1, 1, 1))
        self.input_gain = input_gain
        self.output_gain = (output_gain,)  # A tuple, so that it is not a parameter of this module too.
        self.shared = None

    def effective(self):
        """Weights and bias with all gains."""
        w, bias, gain = self.weight, self.bias, self.gain * self.input_gain
        variance, mean = torch.var_mean(w, dim=(1, 2, 3), keepdim=True)
        factor = gain * torch.rsqrt(variance * w[0].numel() + 1e-4)
        if self.output_gain[0] is not None:
            output_gain = self.output_gain[0] * BRANCH_GAIN
            factor, bias = factor * output_gain, bias * output_gain
        return (w - mean) * factor, bias

    def forward(self, x):
        w, bias = self.shared if self.shared is not None else self.effective()
        return self._conv_forward(x, w, bias)


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


class NormalizerFreeBlock(nn.Module):
    """s = lif(x / beta); y = BRANCH_GAIN skipinit_gain conv(lif(... conv(s))) + (downsample(s) or x),
    spikes times SPIKE_GAIN. Two 3x3 convolutions, or 1x1, 3x3, 1x1 as a bottleneck."""

    def __init__(self, inputs, planes, stride, bottleneck, downsamples, beta, neuron):
        super().__init__()
        self.scale = 1 / beta
        self.skipinit_gain = nn.Parameter(torch.zeros(()))
        outputs = 4 * planes if bottleneck else planes
        gains = {"input_gain": SPIKE_GAIN}
        last = gains | {"output_gain": self.skipinit_gain}
        if bottleneck:
            self.conv1 = ScaledWSConv2d(inputs, planes, 1, **gains)
            self.conv2 = ScaledWSConv2d(planes, planes, 3, stride, padding=1, **gains)
            self.conv3 = ScaledWSConv2d(planes, outputs, 1, **last)
        else:
            self.conv1 = ScaledWSConv2d(inputs, planes, 3, stride, padding=1, **gains)
            self.conv2 = ScaledWSConv2d(planes, planes, 3, padding=1, **last)
        self.sn1, self.sn2 = neuron(), neuron()
        self.sn3 = neuron() if bottleneck else None
        self.downsample = (
            ScaledWSConv2d(inputs, outputs, 1, stride, **gains) if downsamples else None
        )

    def forward(self, x):
        s = self.sn1(x * self.scale)
        identity = x if self.downsample is None else self.downsample(s)
        y = self.conv2(self.sn2(self.conv1(s)))
        if self.sn3 is not None:
            y = self.conv3(self.sn3(y))
        return y + identity


class NormalizerFreeResNet(nn.Module):
    def __init__(self, blocks, width, classes, channels, neuron, bottleneck=False):
        super().__init__()
        self.conv1 = ScaledWSConv2d(channels, width, 7, 2, padding=3)
        inputs, self.stages, variance = width, [], 1.0
        for stage, count in enumerate(blocks):
            planes, layer = width << stage, nn.Sequential()
            outputs = 4 * planes if bottleneck else planes
            for index in range(count):
                stride = 2 if stage > 0 and index == 0 else 1
                downsamples = index == 0 and (stride != 1 or inputs != outputs)
                beta = variance**0.5
                layer.append(
                    NormalizerFreeBlock(
                        inputs, planes, stride, bottleneck, downsamples, beta, neuron
                    )
                )
                variance = (1 if downsamples else variance) + BRANCH_GAIN**2
                inputs = outputs
            self.stages.append(f"layer{stage + 1}")
            self.add_module(self.stages[-1], layer)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.avg_pool2d(self.conv1(x), 3, 2, padding=1)
        for name in self.stages:
            x = getattr(self, name)(x)
        return self.fc(x.mean((2, 3)))


class VGG(nn.Module):
    """Convolutions `s = dropout(lif(bn(conv(x))))` and average pooling."""

    def __init__(self, blocks, width, classes, channels, neuron, dropout=0.0):
        super().__init__()
        inputs, self.stages = channels, []
        for stage, count in enumerate(blocks):
            layer, outputs = nn.Sequential(), width << min(stage, 3)
            for _ in range(count):
                layer.append(nn.Conv2d(inputs, outputs, 3, padding=1))
                layer.append(nn.BatchNorm2d(outputs))
                layer.append(neuron())
                layer.append(Dropout(dropout) if dropout > 0 else nn.Identity())
                inputs = outputs
            layer.append(nn.AvgPool2d(2))
            self.stages.append(f"layer{stage + 1}")
            self.add_module(self.stages[-1], layer)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(inputs * 49, classes))

    def forward(self, x):
        for name in self.stages:
            x = getattr(self, name)(x)
        return self.classifier(F.adaptive_avg_pool2d(x, (7, 7)))


# As published: the family and its blocks, at width 64.
ARCHITECTURES = {
    "resnet18": (PreActivationResNet, [2, 2, 2, 2]),
    "nf-resnet34": (NormalizerFreeResNet, [3, 4, 6, 3]),
    "vgg11": (VGG, [1, 1, 2, 2, 2]),
}


def build(architecture, classes, channels, through_time, width=64, tau=1.1, **options):
    """A network as published; `through_time` for BPTT. Options are those of its family."""
    family, blocks = ARCHITECTURES[architecture]

    def neuron():
        return LIF(tau, "triangle", through_time)

    return family(blocks, width, classes, channels, neuron, **options)


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
