"""The cases that files show."""

from dataclasses import replace

from case import JSON, VGG11, Case, Table


def under(methods: str, case: Case) -> list[Case]:
    """The case under each of these methods; only sltt-k chooses time steps."""
    return [
        replace(
            case, method=method,
            chosen_timesteps=case.chosen_timesteps if method == "sltt-k" else [])
        for method in methods.split()
    ]


ALL_OF_SLTT = "sltt sltt-k bptt"
RESNET: JSON = dict(
    family="resnet", classes=10, channels=3, size=8, timesteps=4, batch=3, width=8, blocks=[1, 1],
    tau=2.0)
NFRESNET = RESNET | dict(family="nfresnet", size=40, batch=2)
VGG: JSON = dict(
    family="vgg11", classes=5, channels=2, size=32, timesteps=4, batch=2, width=2, blocks=VGG11,
    tau=2.0, static=False)
SEW_RESNET = RESNET | dict(family="sew-resnet", size=12)

# By name, a case under each of its methods.
CASES: Table[list[Case]] = Table(
    "case",
    {cases[0].case: cases for cases in (
        under(ALL_OF_SLTT, Case(
            "resnet", "resnet", classes=10, channels=3, size=32, timesteps=4, batch=2, width=4,
            blocks=[1, 1, 1, 1], mse_weight=0.05, chosen_timesteps=[1, 3])),
        under(ALL_OF_SLTT, Case(
            "resnet-deep", "resnet", classes=10, channels=3, size=8, timesteps=6, batch=4, width=8,
            blocks=[2, 2], surrogate="sigmoid", chosen_timesteps=[1, 3])),
        under(ALL_OF_SLTT, Case(
            "nfresnet", "nfresnet", classes=10, channels=3, size=48, timesteps=4, batch=3, width=8,
            blocks=[1, 2], chosen_timesteps=[1, 3])),
        under(ALL_OF_SLTT, Case(
            "nfresnet-bottleneck", "nfresnet-bottleneck", classes=10, channels=3, size=40,
            timesteps=4, batch=3, width=8, blocks=[1, 1], tau=2.0, surrogate="rectangle",
            mse_weight=0.05, mse_target="one-hot", chosen_timesteps=[1, 3])),
        under(ALL_OF_SLTT, Case(
            "vgg11", "vgg11", classes=11, channels=2, size=48, timesteps=5, batch=2, width=2,
            blocks=VGG11, static=False, mse_weight=0.05, mse_target="one-hot",
            chosen_timesteps=[1, 3])),

        under("sltt bptt", Case("resnet-hard", **RESNET, reset="hard")),
        under("bptt", Case("nfresnet-hard-detached", **NFRESNET, reset="hard", detach_reset=True)),
        under("sltt bptt", Case("resnet-clif", **RESNET, neuron="clif", surrogate="rectangle")),
        under(ALL_OF_SLTT, Case(
            "resnet-plif", **RESNET, neuron="plif", surrogate="sigmoid", chosen_timesteps=[1, 3])),
        under("sltt bptt", Case(
            "resnet-levels4", **RESNET, levels=4, surrogate="rectangle", norm_gain=2.0)),
        under("bptt", Case(
            "resnet-levels2-detached", **RESNET, levels=2, detach_reset=True, norm_gain=1.5)),
        under("sltt bptt", Case(
            "vgg11-levels4-round", **VGG | dict(tau=4 / 3), levels=4, firing="round",
            surrogate="rectangle", detach_reset=True)),

        under("ottt", Case(
            "resnet-ottt", **RESNET, surrogate="sigmoid", mse_weight=0.05, mse_target="one-hot")),
        under("ottt", Case("nfresnet-ottt", **NFRESNET, surrogate="sigmoid")),
        under("ottt", Case("vgg11-ottt", **VGG, surrogate="sigmoid")),

        under("rate", Case(
            "resnet-rate", **RESNET | dict(blocks=[2, 1], tau=1.25), surrogate="sigmoid",
            detach_reset=True)),
        under("rate", Case("nfresnet-rate", **NFRESNET, mse_weight=0.05, mse_target="one-hot")),
        under("rate", Case("vgg11-rate", **VGG, reset="hard", surrogate="sigmoid")),

        under("sltt", Case(
            "resnet-osr", **RESNET, normalization="online", surrogate="sigmoid", mse_weight=0.05,
            mse_target="one-hot", outlying_variance=True)),
        under("sltt", Case(
            "resnet-osr-ots", **RESNET, normalization="online", threshold="stabilized",
            surrogate="sigmoid", norm_gain=2.0)),
        under("sltt-k", Case(
            "vgg11-osr-ots", **VGG | dict(batch=4), normalization="online", threshold="stabilized",
            surrogate="sigmoid", norm_gain=2.0, chosen_timesteps=[0, 2])),

        under("sltt bptt", Case(
            "sew-resnet-if", **SEW_RESNET, neuron="if", reset="hard", detach_reset=True)),
        under("bptt", Case(
            "sew-resnet-arctan", **SEW_RESNET, neuron="if", reset="hard", detach_reset=True,
            surrogate="arctan")),
        under("sltt bptt", Case(
            "sew-resnet-bottleneck", **SEW_RESNET | dict(family="sew-resnet-bottleneck", width=4),
            reset="hard", detach_reset=True)),
        under("bptt", Case(
            "sew-resnet-imagenet", **SEW_RESNET | dict(size=32, batch=2), stem="imagenet")),
    )})
