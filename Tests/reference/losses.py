"""The loss of logits."""

from typing import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from case import Case, Table

# The loss of logits [N, classes].
Loss = Callable[[Tensor], Tensor]


# What the squared error compares logits with.
TARGETS: Table[Callable[[Tensor, Tensor, Case], Tensor]] = Table(
    "target of the squared error",
    {
        "constant": lambda logits, labels, case: torch.full_like(logits, case.mse_mean),
        "one-hot": lambda logits, labels, case: F.one_hot(labels, case.classes).to(logits),
    })


def loss_of(labels: Tensor, case: Case) -> Loss:
    """The loss, averaged over the batch (TET, Deng et al., ICLR 2022; SLTT, section 4.1):

        L(logits) = (1 - λ) crossEntropy(logits, label) + λ mean (logits - target)²
    """

    def loss(logits: Tensor) -> Tensor:
        cross_entropy = -logits.log_softmax(1).gather(1, labels[:, None]).mean()
        target = TARGETS[case.mse_target](logits, labels, case)
        squared_error = (logits - target).square().mean()
        λ = case.mse_weight
        return (1 - λ) * cross_entropy + λ * squared_error

    return loss
