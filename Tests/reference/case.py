"""What the numbers of a file depend on, as its metadata say."""

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
    stem: str = "cifar"
    """Of SEW-ResNets, a row of `sew_resnet.STEMS`."""
    normalization: str = "batch"
    """A row of `normalizations.NORMALIZATIONS`."""
    static: bool = True
    """Whether every time step sees the same image; else each has a frame of its own."""
    neuron: str = "lif"
    """A row of `neurons.NEURONS`."""
    tau: float = 1.1
    """The neurons' time constant in time steps."""
    surrogate: str = "triangle"
    """A row of `surrogates.SURROGATES`."""
    reset: str = "soft"
    """A row of `neurons.RESETS`."""
    detach_reset: bool = False
    """Whether the spikes of the reset are constants to gradients."""
    levels: int = 1
    """L, the most spikes that a neuron fires in a time step."""
    firing: str = "floor"
    """A row of `neurons.FIRST_LEVELS`."""
    threshold: str = "fixed"
    """A row of `neurons.THRESHOLDS`."""
    method: str = "sltt"
    """A row of `methods.METHODS`."""
    chosen_timesteps: list[int] = field(default_factory=list)
    """The time steps that SLTT-K trains."""
    mse_weight: float = 0.0
    """The share of the squared error in the loss."""
    mse_target: str = "constant"
    """A row of `losses.TARGETS`."""
    mse_mean: float = 1.0
    """The constant target."""
    sgd: SGD = SGD()
    norm_gain: float = 1.0
    """About which weights of normalisations are drawn."""
    outlying_variance: bool = False
    """Whether a channel of the last normalisation has a running variance far from its inputs'."""

    def __post_init__(self) -> None:
        if (reason := missing_definition(self)) is not None:
            raise ValueError(f"{self.case}: {reason}")

    @staticmethod
    def of_metadata(config: JSON) -> tuple["Case", float, float]:
        """The case that a file's metadata describe, the margin, and the firing rate of the quietest
        layer, not a number where they leave it out.

        Raises ValueError where a key is missing, or has no meaning here, as results may depend on
        it.
        """
        try:
            settings = dict(config)
            del settings["seed"]
            margin = float(settings.pop("margin"))
            quietest_layer = float(settings.pop("quietest_layer", "nan"))
            # Files of VGG-11 may leave its blocks out.
            settings["blocks"] = settings["blocks"] or VGG11
            settings["sgd"] = SGD(**settings["sgd"])
            return Case(**settings), margin, quietest_layer
        except (KeyError, TypeError) as error:
            raise ValueError(f"the metadata describe no case: {error}") from None

    def metadata(self, seed: int, margin: float, quietest_layer: float) -> JSON:
        """What `of_metadata` reads.

        The seed is that of the inputs; the margin, how far every neuron kept from where its spikes
        or gradients change.
        """
        return asdict(self) | {"seed": seed, "margin": margin, "quietest_layer": quietest_layer}


def missing_definition(case: Case) -> str | None:
    """Why the case's settings do not go together, where they do not."""
    resets_softly = case.neuron != "clif" and case.reset == "soft"
    if case.levels > 1 and not (resets_softly and case.threshold == "fixed"):
        return "several levels need a fixed threshold, and a soft reset of lif or if neurons"
    if case.threshold == "stabilized" and not (resets_softly and case.firing == "floor"):
        return "stabilized thresholds need firing floor, and a soft reset of lif or if neurons"
    if case.neuron == "clif" and (case.reset, case.detach_reset, case.firing) != (
            "soft", False, "floor"):
        return "clif neurons have a reset and a threshold of their own"
    if case.normalization == "online" and case.method not in ("sltt", "sltt-k", "ottt"):
        return "online normalisation needs a method within time steps: sltt, sltt-k or ottt"
    if case.method == "rate" and (case.neuron in ("clif", "plif") or case.threshold == "stabilized"):
        return "rate needs neurons that are independent of each other, with one state each"
    if case.method == "ottt" and case.family.startswith("sew-resnet"):
        return "ottt traces spikes, and layers of sew-resnet read sums of spikes"
    return None
