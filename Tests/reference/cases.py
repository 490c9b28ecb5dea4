"""What the numbers of a file depend on, as its metadata say, and the cases that files show."""

from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

JSON = dict[str, Any]
VGG11 = [1, 1, 2, 2, 2]
Row = TypeVar("Row")


class Table(dict[str, Row]):
    """Named choices. An unknown name is a ValueError that says which there are."""

    def __init__(self, what: str, rows: dict[str, Row]) -> None:
        super().__init__(rows)
        self.what = what

    def __missing__(self, name: str) -> Row:
        raise ValueError(f"no {self.what} {name}; there are {', '.join(self)}")


@dataclass(frozen=True)
class SGD:
    """g = gradient + weight_decay p;  m = momentum m + g;  p = p - lr m."""

    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4


@dataclass(frozen=True)
class Case:
    """A network, a batch's shape and a learning rule. The fields are keys of the metadata."""

    case: str
    family: str
    """A row of `networks.FAMILIES`."""
    classes: int
    channels: int
    """Of the input."""
    size: int
    """Height and width of the input in pixels."""
    timesteps: int
    """T"""
    batch: int
    """N"""
    width: int
    """Channels of the first stage."""
    blocks: list[int]
    """Residual blocks (ResNets) or convolutions (VGG) of each stage."""
    static: bool = True
    """Whether every time step sees the same image; else each has a frame of its own."""
    neuron: str = "lif"
    """A row of `neurons.NEURONS`."""
    tau: float = 1.1
    """The neurons' time constant in time steps."""
    surrogate: str = "triangle"
    """A row of `neurons.SURROGATES`."""
    method: str = "sltt"
    """A row of `methods.METHODS`."""
    chosen_timesteps: list[int] = field(default_factory=list)
    """The time steps that SLTT-K trains."""
    mse_weight: float = 0.0
    """The share of the squared error in the loss."""
    mse_target: str = "constant"
    """A row of `methods.TARGETS`."""
    mse_mean: float = 1.0
    """The constant target."""
    sgd: SGD = SGD()

    @staticmethod
    def of_metadata(config: JSON) -> tuple["Case", float]:
        """The case that a file's metadata describe, and the margin.

        Raises ValueError where a key is missing, or has no meaning here, as results may depend on
        it.
        """
        try:
            settings = dict(config)
            del settings["seed"]
            margin = float(settings.pop("margin"))
            # Files of VGG-11 may leave its blocks out.
            settings["blocks"] = settings["blocks"] or VGG11
            settings["sgd"] = SGD(**settings["sgd"])
            return Case(**settings), margin
        except (KeyError, TypeError) as error:
            raise ValueError(f"the metadata describe no case: {error}") from None

    def metadata(self, seed: int, margin: float) -> JSON:
        """What `of_metadata` reads.

        The seed is that of the inputs; the margin, how far every neuron kept from its threshold.
        """
        return asdict(self) | {"seed": seed, "margin": margin}


CASES = Table(
    "case",
    {case.case: case for case in (
        Case("resnet", "resnet", classes=10, channels=3, size=32, timesteps=4, batch=2, width=4,
             blocks=[1, 1, 1, 1], mse_weight=0.05),
        Case("resnet-deep", "resnet", classes=10, channels=3, size=8, timesteps=6, batch=4, width=8,
             blocks=[2, 2], surrogate="sigmoid"),
        Case("nfresnet", "nfresnet", classes=10, channels=3, size=48, timesteps=4, batch=3, width=8,
             blocks=[1, 2]),
        Case("nfresnet-bottleneck", "nfresnet-bottleneck", classes=10, channels=3, size=40,
             timesteps=4, batch=3, width=8, blocks=[1, 1], tau=2.0, surrogate="rectangle",
             mse_weight=0.05, mse_target="one-hot"),
        Case("vgg11", "vgg11", classes=11, channels=2, size=48, timesteps=5, batch=2, width=2,
             blocks=VGG11, static=False, mse_weight=0.05, mse_target="one-hot"),
    )})
