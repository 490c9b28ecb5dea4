"""sltt-dist from Python: `launch` starts a run, `metrics` reads what it measured, `load` makes a PyTorch
module of its network."""

from typing import TYPE_CHECKING, Any

from sltt_dist.records import metrics
from sltt_dist.runs import Run, RunFailed, launch

if TYPE_CHECKING:
    from sltt_dist.model import Model, ModelError, load

__all__ = ["Model", "ModelError", "Run", "RunFailed", "launch", "load", "metrics"]


def __getattr__(name: str) -> Any:
    """What needs PyTorch, which takes seconds to import and need not be there for the rest."""
    if name not in __all__:
        raise AttributeError(f"module 'sltt_dist' has no attribute '{name}'")
    try:
        from sltt_dist import model
    except ModuleNotFoundError as error:
        raise ImportError(
            f"sltt_dist.{name} needs {error.name}: pip install torch numpy pillow pyyaml safetensors"
        ) from error
    return getattr(model, name)
