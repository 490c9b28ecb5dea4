#!/usr/bin/env python3
"""What must hold of neurons, normalisations and methods whatever the numbers: their definitions in
special cases, and derivatives by finite differences.

    test_identities.py
"""

import unittest
from dataclasses import replace
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from backpropagation import bptt
from case import Case
from cases import CASES
from gradients import with_gradient_of
from inputs import draw_inputs, frames_of
from make_fixtures import network_with
from methods import METHODS, Iteration, iterate
from neurons import NEURONS, stabilized_threshold
from normalizations import OnlineNorm
from ottt import ottt
from rate import rate
from staged_network import StagedNetwork
from surrogates import SURROGATES, Surrogate, fire

Gradients = list[Tensor]


def gradients(network: nn.Module) -> Gradients:
    return [p.grad.clone() for p in network.parameters()]


class OneLayer(StagedNetwork):
    """Neurons behind a linear layer of 12 spikes; the outputs are the neurons' spikes."""

    READ_NO_SPIKES = ()

    def __init__(self, case: Case) -> None:
        super().__init__()
        self.linear, self.neurons = nn.Linear(12, 5), NEURONS[case.neuron](case)
        self.double()

    def forward(self, frame: Tensor) -> Tensor:
        return self.neurons(self.linear(frame))


class Identities(unittest.TestCase):
    def setUp(self) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(1)

    def expect_close(self, actual: Gradients, expected: Gradients, tolerance: float = 1e-9) -> None:
        largest = max(float(tensor.abs().max()) for tensor in expected)
        self.assertGreater(largest, 0)
        for a, e in zip(actual, expected, strict=True):
            torch.testing.assert_close(a, e, rtol=0, atol=tolerance * largest)

    def iteration(self, case: Case) -> tuple[Iteration, Gradients]:
        inputs = draw_inputs(case, seed=1)
        network = network_with(case, inputs)
        iteration = iterate(network, frames_of(inputs, case), inputs["labels"], case)
        return iteration, gradients(network)

    def test_one_time_step_is_the_same_under_every_method(self) -> None:
        for name in ("resnet", "nfresnet", "vgg11"):
            case = replace(CASES[name][0], timesteps=1, chosen_timesteps=[0])
            expected = self.iteration(replace(case, method="sltt"))
            for method in METHODS:
                with self.subTest(case=name, method=method):
                    iteration, actual = self.iteration(replace(case, method=method))
                    self.assertAlmostEqual(iteration.loss, expected[0].loss, places=12)
                    self.expect_close(actual, expected[1])

    def test_traces_that_keep_nothing_are_spikes(self) -> None:
        case = replace(CASES["resnet-ottt"][0], tau=1.0)
        self.expect_close(
            self.iteration(case)[1], self.iteration(replace(case, method="sltt"))[1])

    def expect_bptt_in_one_layer(self, method, case: Case, frames: Tensor) -> None:
        """The loss is linear, so that of the mean is the mean of the losses."""
        network, weights = OneLayer(case), torch.randn(5, dtype=torch.float64)
        found = []
        for rule in (method, bptt):
            network.neurons.rest()
            network.zero_grad()
            rule(network, frames, lambda spikes: (spikes * weights).sum(), case)
            found.append(gradients(network))
        self.expect_close(found[0][:1], found[1][:1])

    def test_traces_give_the_weights_of_one_layer_their_gradient(self) -> None:
        frames = torch.bernoulli(torch.full((6, 3, 12), 0.5, dtype=torch.float64))
        for neuron in ("lif", "if"):
            case = replace(CASES["resnet-ottt"][0], neuron=neuron, detach_reset=True)
            self.expect_bptt_in_one_layer(ottt, case, frames)

    def test_rates_give_one_layer_of_constant_input_its_gradient(self) -> None:
        frames = torch.rand(3, 12, dtype=torch.float64).expand(6, 3, 12)
        for reset in ("soft", "hard"):
            for detach_reset in (False, True):
                case = replace(
                    CASES["resnet-rate"][0], tau=2.0, reset=reset, detach_reset=detach_reset)
                self.expect_bptt_in_one_layer(rate, case, frames)

    def test_bptt_is_the_derivative_where_spikes_are_smooth(self) -> None:
        """The spikes are the surrogate's integral, in place of the step function."""

        def smooth(z: Tensor, surrogate: Surrogate, levels: int = 1) -> Tensor:
            integral = sum(torch.sigmoid(4 * (z - level)) for level in range(levels))
            return with_gradient_of(fire(z, surrogate, levels), integral)

        for name in ("resnet-hard", "resnet-clif", "resnet-levels4", "sew-resnet-imagenet"):
            case = replace(CASES[name][0], method="bptt", surrogate="sigmoid")
            inputs = draw_inputs(case, seed=1)
            network = network_with(case, inputs)
            parameters = list(network.parameters())
            start = parameters_to_vector(parameters).detach()
            direction = torch.randn_like(start)

            def loss_at(distance: float) -> float:
                vector_to_parameters(start + distance * direction, parameters)
                return iterate(network, frames_of(inputs, case), inputs["labels"], case).loss

            with self.subTest(case=name), patch("neurons.fire", smooth):
                h = 1e-6
                difference = (loss_at(h) - loss_at(-h)) / (2 * h)
                loss_at(0)
                slope = parameters_to_vector(gradients(network)) @ direction
                self.assertAlmostEqual(difference / float(slope), 1, places=6)

    def test_levels_count_whole_thresholds(self) -> None:
        u = torch.linspace(-2, 6, 1001, dtype=torch.float64).requires_grad_()
        floor = fire(u - 1, SURROGATES["rectangle"], levels=4)
        self.assertTrue(floor.equal(u.floor().clamp(0, 4)))
        rounded = fire(u - 0.5, SURROGATES["rectangle"], levels=4)
        self.assertTrue(rounded.equal((u + 0.5).floor().clamp(0, 4)))
        rounded.sum().backward()
        self.assertTrue(u.grad.equal(((u >= 0) & (u <= 4)).double()))

    def test_stabilized_thresholds_follow_shifted_and_stretched_potentials(self) -> None:
        first = torch.randn(3, 4, 5, 5, dtype=torch.float64)
        u = 1.7 * first + 0.3
        self.assertTrue((u >= stabilized_threshold(u, first)).equal(first >= 1))

    def online_norm(self, x: Tensor) -> OnlineNorm:
        """Whose running statistics are those of x."""
        norm = OnlineNorm(x.shape[1]).double()
        norm.momentum = 1
        norm(x)
        norm.end_iteration()
        return norm

    def test_online_norm_with_a_batchs_own_statistics_is_batch_norm(self) -> None:
        x = (3 * torch.randn(6, 4, 5, 5, dtype=torch.float64) + 1).requires_grad_()
        online, batch = self.online_norm(x), nn.BatchNorm2d(4, eps=1e-4).double()
        weights = torch.randn_like(x)
        found = []
        for norm in (online, batch):
            y = norm(x)
            found.append([y, *torch.autograd.grad((weights * y).sum(), [x, *norm.parameters()])])
        for actual, expected in zip(*found, strict=True):
            torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-10)

    def test_online_norm_knows_no_batch(self) -> None:
        x = torch.randn(6, 4, 5, 5, dtype=torch.float64)
        norm = self.online_norm(x)
        torch.testing.assert_close(
            torch.cat([norm(x[:2]), norm(x[2:])]), norm(x), rtol=0, atol=1e-14)

    def test_what_has_no_definition_is_refused(self) -> None:
        case = CASES["resnet-hard"][0]
        for settings in (
            dict(levels=2),
            dict(threshold="stabilized"),
            dict(neuron="clif"),
            dict(normalization="online", method="bptt"),
            dict(method="rate", reset="soft", threshold="stabilized"),
            dict(family="sew-resnet", method="ottt"),
        ):
            with self.subTest(**settings), self.assertRaises(ValueError):
                replace(case, **settings)


if __name__ == "__main__":
    unittest.main()
