"""What learning rules let layers compute in place of their own function."""

from contextlib import contextmanager
from typing import Callable, Iterator

from torch import Tensor, nn

Forward = Callable[[Tensor], Tensor]


@contextmanager
def replaced(forwards: dict[nn.Module, Forward]) -> Iterator[None]:
    """Within the context, calls of these layers are calls of these functions."""
    for layer, forward in forwards.items():
        layer.forward = forward
    try:
        yield
    finally:
        for layer in forwards:
            # The class's own shows again.
            del layer.forward
