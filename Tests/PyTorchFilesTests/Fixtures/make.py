"""Makes the fixtures beside it, with PyTorch: python3 make.py"""

import argparse
import collections
import pathlib

import torch

directory = pathlib.Path(__file__).parent


def save(value, name, **options):
    torch.save(value, directory / name, **options)


counting = torch.arange(24, dtype=torch.float32)

# Every kind of tensor that a state dict may have.
save(
    collections.OrderedDict(
        [
            ("plain", counting.reshape(2, 3, 4)),
            ("transposed", counting.reshape(2, 3, 4).permute(2, 0, 1)),
            ("strided", counting[1::5]),
            ("shared", counting[20:]),
            ("expanded", counting[3:4].expand(2, 3)),
            ("scalar", torch.tensor(-1.5)),
            ("empty", torch.zeros(0, 3)),
            ("double", torch.tensor([1e-3, -2.0], dtype=torch.float64)),
            ("half", torch.tensor([0.5, -6e-8], dtype=torch.float16)),
            ("bfloat16", torch.tensor([1.0, -0.15625], dtype=torch.bfloat16)),
            ("parameter", torch.nn.Parameter(torch.tensor([7.0]))),
            ("count", torch.tensor(2**40)),
        ]
    ),
    "tensors.pth",
)

# A checkpoint of a network under DataParallel, as published training programs save it.
network = torch.nn.Sequential(
    collections.OrderedDict(
        conv=torch.nn.Conv2d(1, 2, 4, stride=4),
        bn=torch.nn.BatchNorm2d(2),
        flatten=torch.nn.Flatten(),
        fc=torch.nn.Linear(32, 3),
    )
)
optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=200)
network(torch.ones(1, 1, 16, 16)).sum().backward()
optimizer.step()
with torch.no_grad():
    for parameter in network.parameters():
        parameter.copy_(torch.arange(parameter.numel()).reshape(parameter.shape) / 8)
checkpoint = {
    "net": torch.nn.DataParallel(network).state_dict(),
    "optimizer": optimizer.state_dict(),
    "lr_scheduler": scheduler.state_dict(),
    "epoch": -1,
    "max_test_acc": 0.9425,
    "name": "sltt \N{GREEK SMALL LETTER TAU}",
    "seeds": [2**40, None, True, (1, 2, 3, 4)],
}
save(checkpoint, "checkpoint.pth")
save(checkpoint, "protocol4.pth", pickle_protocol=4)
save(checkpoint, "legacy.pth", _use_new_zipfile_serialization=False)
save({**checkpoint, "args": argparse.Namespace(T=6)}, "namespace.pth")
save(network, "module.pth")
save({"first": checkpoint["net"], "second": checkpoint["net"]}, "two.pth")
save({"epoch": 3}, "none.pth")
linear = {"fc.weight": torch.ones(2, 3), "fc.bias": torch.tensor([1.0, 2.0])}
save({"net": linear, "best_acc": torch.tensor(93.2)}, "beside.pth")
