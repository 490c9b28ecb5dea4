"""Networks in PyTorch compute what the program computes. Needs torch, and the program."""

import subprocess
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from small_data import (
    CLASSES,
    cifar_test_samples,
    event_test_samples,
    write_cifar,
    write_event_frames,
)

import sltt_dist
from sltt_dist import configuration
from sltt_dist.builder import build
from sltt_dist.families import ARCHITECTURES
from sltt_dist.images import Preparation
from sltt_dist.model import _floats
from sltt_dist.neurons import Neuron, NeuronSettings
from sltt_dist.records import parsed
from sltt_dist.runs import find_program

ONE_THREAD = ["--threads", "1"]
# A network with every kind of layer, some without a name.
OWN_LAYERS = """
model:
  layers:
    - convolution: {name: stem, channels: 8, kernel: 3}
    - average_pool: {kernel: 2}
    - repeat:
        times: 2
        layers:
          - neuron: {input_scale: 1.5, amplitude: 2}
          - residual:
              branch:
                - convolution: {channels: 8, kernel: 3, standardized: true}
                - neuron: {kind: plif, tau: 2, amplitude: 1.5}
                - dropout: {probability: 0.2}
                - convolution: {channels: 8, kernel: 3, standardized: true}
              shortcut: {channels: 8, kernel: 1, standardized: true}
              skip_init: 0.5
    - batch_norm
    - neuron: {levels: 3}
    - max_pool: {kernel: 3, stride: 2, padding: 1}
    - repeat:
        name: pair
        times: 2
        layers:
          - residual:
              branch:
                - convolution: {channels: 8, kernel: 2, padding: 1}
                - max_pool: {kernel: 2, stride: 1}
                - neuron: {surrogate: sigmoid}
    - sequence:
        layers:
          - adaptive_pool: {size: 3}
          - linear: {name: hidden, outputs: 12}
          - neuron: {kind: if, reset: hard, threshold: 0.5}
          - linear
"""
# Settings by section.
CASES: dict[str, dict[str, Any]] = {
    "resnet": {"model": {"family": "resnet", "blocks": [2, 1]}},
    "resnet-plif": {"model": {"family": "resnet", "blocks": [1, 1]}, "neuron": {"kind": "plif"}},
    "resnet-clif": {
        "model": {"family": "resnet", "blocks": [1, 1]},
        "neuron": {"kind": "clif", "tau": 2},
    },
    "resnet-online": {
        "model": {"family": "resnet", "blocks": [1, 1], "normalization": "online"},
        "neuron": {"threshold_rule": "stabilized"},
    },
    "vgg-levels": {
        "model": {"family": "vgg", "blocks": [1, 1]},
        "neuron": {"levels": 4, "firing": "round", "threshold": 0.7},
    },
    "nf-resnet": {
        "model": {"family": "nf-resnet", "blocks": [1, 2]},
        "neuron": {"threshold": 0.2, "reset": "hard", "tau": 1.5},
    },
    "nf-resnet-bottleneck": {
        "model": {"family": "nf-resnet-bottleneck", "blocks": [1, 1]},
        "neuron": {"threshold": 0.2},
        "method": {"name": "rate"},
    },
    "sew-resnet": {
        "model": {"family": "sew-resnet", "blocks": [1, 1]},
        "neuron": {"kind": "if", "reset": "hard"},
    },
    "sew-resnet-bottleneck": {
        "model": {"family": "sew-resnet-bottleneck", "blocks": [1, 1], "stem": "imagenet"},
        "data": {"image_size": 40, "augmentation": "imagenet"},
    },
}


class ModelTests(unittest.TestCase):
    def setUp(self) -> None:
        torch.set_num_threads(1)
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.folder = Path(directory.name)

    def train(self, config: Path | None, settings: dict[str, Any]) -> sltt_dist.Run:
        """A run of a few iterations."""
        settings = {section: dict(keys) for section, keys in settings.items()}
        common = {
            "model": {} if config else {"width": 8},
            "method": {"timesteps": 3},
            "loss": {"mse_weight": 0},
            "training": {"epochs": 2, "global_batch": 16},
        }
        for section, keys in common.items():
            settings[section] = keys | settings.get(section, {})
        run = sltt_dist.launch(config, output=self.folder / "run", options=ONE_THREAD, **settings)
        run.wait()
        return run

    def expect_same(self, x: torch.Tensor, labels: numpy.ndarray) -> None:
        """The network gives samples the loss and accuracy that the program measured."""
        model = sltt_dist.load(self.folder / "run/checkpoints/latest")
        self.assertEqual(model.classes, CLASSES)
        targets = torch.from_numpy(labels)
        with torch.no_grad():
            logits = model.step_logits(x)
            mean = model(x)
        torch.testing.assert_close(mean, logits.mean(0))
        self.assertGreater(float(logits.std(1).max()), 1e-3, "all samples have the same logits")
        # By the rate-based method the loss is that of the mean.
        compared = mean[None] if model.config["method"]["name"] == "rate" else logits
        loss = sum(float(F.cross_entropy(step, targets)) for step in compared) / len(compared)
        accuracy = float((mean.argmax(1) == targets).float().mean())
        file = self.folder / "run/metrics.jsonl"
        last = parsed(file.read_bytes(), file)[-1]
        self.assertAlmostEqual(loss, last["validation_loss"], delta=1e-4 * loss)
        self.assertAlmostEqual(accuracy, last["validation_accuracy"], delta=1e-6)

    def expect_same_on_images(self, config: Path | None, settings: dict[str, Any]) -> None:
        write_cifar(self.folder / "cifar10")
        data = {
            "path": self.folder / "cifar10", "image_size": 16, "augmentation": "cifar",
            "normalization": "cifar10",
        }  # fmt: skip
        run = self.train(config, settings | {"data": data | settings.get("data", {})})
        images, labels = cifar_test_samples(self.folder / "cifar10")
        x = sltt_dist.load(run).prepare(*images)
        self.expect_same(x, labels)

    def test_computes_what_the_program_computes(self) -> None:
        for name, settings in CASES.items():
            with self.subTest(name):
                self.setUp()
                self.expect_same_on_images(None, settings)

    def test_computes_own_networks(self) -> None:
        config = self.folder / "own.yaml"
        config.write_text(OWN_LAYERS)
        self.expect_same_on_images(config, {})

    def test_computes_frames_of_events(self) -> None:
        write_event_frames(self.folder / "events", timesteps=3, size=16)
        model = {"family": "vgg", "blocks": [1, 1]}
        data = {"path": self.folder / "events", "image_size": 16}
        run = self.train(None, {"model": model, "data": data})
        frames, labels = event_test_samples(self.folder / "events")
        self.expect_same(torch.from_numpy(frames), labels)
        loaded = sltt_dist.load(run)
        self.assertIsNone(loaded.normalization)
        with self.assertRaisesRegex(sltt_dist.ModelError, "reads frames of events"):
            loaded.prepare(numpy.zeros((16, 16), numpy.uint8))
        with self.assertRaisesRegex(
            ValueError, r"\[C, H, W\] = \[2, 16, 16\], not \[1, 3, 16, 16\]"
        ):
            loaded(torch.zeros(1, 3, 16, 16))

    def test_trains(self) -> None:
        """Gradients reach all parameters, in a network that was loaded."""
        write_cifar(self.folder / "cifar10")
        data = {"path": self.folder / "cifar10", "image_size": 16, "normalization": "cifar10"}
        run = self.train(None, CASES["resnet-plif"] | {"data": data})
        model = sltt_dist.load(run).train()
        model(torch.randn(8, 3, 16, 16)).square().sum().backward()
        for name, parameter in model.named_parameters():
            self.assertIsNotNone(parameter.grad, name)

    def test_refuses_what_is_no_model(self) -> None:
        with self.assertRaisesRegex(sltt_dist.ModelError, "none does not exist"):
            sltt_dist.load(self.folder / "none")
        with self.assertRaisesRegex(
            sltt_dist.ModelError, "neither a run with a checkpoint, nor one"
        ):
            sltt_dist.load(self.folder)
        (self.folder / "cut.safetensors").write_bytes(b"short")
        with self.assertRaisesRegex(sltt_dist.ModelError, "cut.safetensors: "):
            sltt_dist.load(self.folder / "cut.safetensors")

    def test_names_what_it_does_not_know(self) -> None:
        for text, message in [
            ("neuron: {kind: izhikevich}", "this version knows no neuron.kind 'izhikevich'"),
            ("neuron: {delay: 2}", "this version knows no neuron.delay"),
            (
                "model: {architecture: resnet19}",
                "this version knows no model.architecture 'resnet19'",
            ),
            ("model: {normalization: group}", "this version knows no model.normalization 'group'"),
            ("model: {layers: [attention]}", "this version knows no layer 'attention'"),
            ("model: {layers: [convolution: {groups: 2}]}", "unexpected keyword argument 'groups'"),
            ("model: {family: vgg}", "its weights lack layer1.0.weight"),
        ]:
            with self.subTest(text):
                path = self.folder / "other.safetensors"
                metadata = {"configuration": text, "classes": '["a", "b"]'}
                save_file({"x": torch.zeros(1)}, path, metadata)
                with self.assertRaisesRegex(sltt_dist.ModelError, message):
                    sltt_dist.load(path)

    def test_reads_weights_of_int8(self) -> None:
        numbers = torch.tensor([[127, -64], [1, 0]], dtype=torch.int8)
        tensors = {"w": numbers, "w.scale": torch.tensor([0.5, 2]), "b": torch.ones(2)}
        read = _floats(tensors)
        self.assertEqual(read["w"].tolist(), [[63.5, -32], [2, 0]])
        self.assertEqual(read.keys(), {"w", "b"})
        path = self.folder / "other.safetensors"
        metadata = {"configuration": "model: {}", "classes": '["a", "b"]'}
        save_file({"w": numbers}, path, metadata)
        with self.assertRaisesRegex(sltt_dist.ModelError, "w is int8, but w.scale is missing"):
            sltt_dist.load(path)

    def test_names_metadata_that_are_damaged(self) -> None:
        path = self.folder / "other.safetensors"
        for metadata in (
            {"configuration": "model: [", "classes": "[]"}, {"configuration": "3", "classes": "[]"},
            {"configuration": "model: {}", "classes": "["},
        ):  # fmt: skip
            save_file({"x": torch.zeros(1)}, path, metadata)
            with self.subTest(**metadata), self.assertRaisesRegex(sltt_dist.ModelError, "other"):
                sltt_dist.load(path)

    def test_prepares_images_as_the_configuration_says(self) -> None:
        section = {"image_size": 4, "normalization": "none"}
        image = numpy.arange(8 * 6, dtype=numpy.uint8).reshape(8, 6)
        for evaluation, expected in [
            (["center_crop"], image[2:6, 1:5]),
            ([{"center_crop": {"size": 2}}], image[3:5, 2:4]),
        ]:
            prepared = Preparation(section | {"evaluation": evaluation}, channels=1)(image)
            self.assertEqual(prepared[0].round().int().tolist(), expected.tolist())
        deep = Image.fromarray(numpy.array([[0, 255, 256, 65535]] * 4, numpy.uint16))
        prepared = Preparation(section, channels=1)(deep)
        self.assertEqual(prepared[0].round().int().tolist(), [[0, 0, 1, 255]] * 4)
        enlarged = Preparation(section | {"image_size": 7, "augmentation": "imagenet"}, channels=1)
        self.assertEqual(enlarged(image).shape, (1, 7, 7))
        with self.assertRaisesRegex(ValueError, "has the step 'invert'"):
            Preparation(section | {"evaluation": ["invert"]}, channels=1)


class NeuronTests(unittest.TestCase):
    def test_a_stabilized_threshold_waits_for_potentials_that_differ(self) -> None:
        neuron = Neuron(NeuronSettings(threshold_rule="stabilized"))
        self.assertEqual(neuron(torch.zeros(4)).tolist(), [0, 0, 0, 0])
        # Its threshold is 1 still, and not the mean.
        self.assertEqual(neuron(torch.tensor([0.0, 0.1, 0.2, 0.9])).tolist(), [0, 0, 0, 0])

    def test_an_edge_between_two_rectangles_counts_once(self) -> None:
        settings = NeuronSettings(surrogate="rectangle", levels=4)
        x = torch.tensor([0.5, 1.0, 1.5, 2.5, 4.5, 4.6], requires_grad=True)
        Neuron(settings)(x).sum().backward()
        self.assertEqual(x.grad.tolist(), [1, 1, 1, 1, 1, 0])


class FamilyTests(unittest.TestCase):
    def test_is_written_as_the_program_writes_it(self) -> None:
        """Networks of the layers that the program prints for an architecture have the same modules."""
        for name in ARCHITECTURES:
            with self.subTest(name):
                printed = inspected(name, image_size=96)
                named = {"model": {"architecture": name, "width": 4}, "data": printed["data"]}
                texts = [str(build(c, classes=10, channels=3)) for c in (printed, named)]
                self.assertEqual(*texts)


def inspected(architecture: str, image_size: int) -> configuration.Configuration:
    """The configuration that the program prints, with the network layer by layer."""
    settings = [f"model.architecture={architecture}", "model.width=4", "model.classes=10"]
    settings.append(f"data.image_size={image_size}")
    command = [str(find_program()), "inspect", "--as-yaml"]
    for setting in settings:
        command += ["--set", setting]
    return configuration.read(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
    )


if __name__ == "__main__":
    unittest.main()
