import TestSupport
import Testing

@testable import Configuration

struct ConfigurationValidationTests {
  @Test(arguments: [
    (
      "method: {name: sltt-k, timesteps: 4, k: 5}",
      "method.k = 5 exceeds method.timesteps = 4: lower k or raise timesteps"
    ),
    (
      "method: {name: sltt, k: 2}",
      "method.k is only for sltt-k, but method.name is sltt: remove k, or set name to sltt-k"
    ),
    (
      "method: {name: sltt-k}",
      "method.name = sltt-k needs method.k, the time steps to train: set it"
    ),
    (
      "method: {skip_trailing: true}",
      "method.skip_trailing is only for sltt-k, but method.name is sltt, which trains every step:"
        + " remove it, or set name to sltt-k"
    ),
    (
      "method: {name: sltt-k, k: 2, skip_trailing: true}",
      "method.skip_trailing would change the running statistics of batch norm, which this network has:"
        + " set it to false, or take a normalizer-free network (nf-resnet)"
    ),
    (
      "model: {architecture: vgg11, family: vgg}",
      "model.family and model.architecture exclude each other: remove one of them"
    ),
    (
      "model: {architecture: vgg11, blocks: [1]}",
      "model.blocks and model.architecture exclude each other: remove one of them"
    ),
    (
      "model: {family: vgg}",
      "model.family needs model.blocks: set them, for instance to [2, 2, 2, 2], or set"
        + " model.architecture instead"
    ),
    (
      "model: {family: null, blocks: [1]}",
      "model.blocks needs model.family: set it, for instance to resnet"
    ),
    (
      "neuron: {kind: plif, tau: inf}",
      "neuron.kind plif needs a finite neuron.tau above 1 to start from, not inf: change tau,"
        + " or set kind to lif"
    ),
    (
      "neuron: {kind: plif, tau: 1}",
      "neuron.kind plif needs a finite neuron.tau above 1 to start from, not 1.0: change tau,"
        + " or set kind to lif"
    ),
    (
      "model: {stem: cifar}",
      "model.stem = cifar is for sew-resnets, which can have either: remove it"
    ),
    (
      "model: {stem: imagenet, architecture: vgg11}",
      "model.stem = imagenet is for sew-resnets, which can have either: remove it"
    ),
    (
      "model: {normalization: online}\nmethod: {name: bptt}",
      "model.normalization online is not defined for method.name bptt, which goes back over several"
        + " time steps: its statistics are constants within one; set it to batch, or take sltt, sltt-k"
        + " or ottt"
    ),
    (
      "model: {normalization: online}\nmethod: {name: rate}",
      "model.normalization online is not defined for method.name rate, which goes back over several"
        + " time steps: its statistics are constants within one; set it to batch, or take sltt, sltt-k"
        + " or ottt"
    ),
    (
      "method: {name: ottt}\nmodel: {architecture: sew-resnet18}",
      "method.name ottt is not defined for sums of spikes, as sew-resnets have them, which come from"
        + " several neurons and so have no trace: take another network or method"
    ),
    (
      "method: {name: rate}\nneuron: {kind: clif}",
      "method.name rate is not defined for neurons of kind clif, whose reset depends on all their"
        + " spikes: take another kind or method"
    ),
    (
      "method: {name: rate}\nneuron: {kind: plif, tau: 2}",
      "method.name rate is not defined for neurons of kind plif: averages have no gradient of tau; take"
        + " another kind or method"
    ),
    (
      "method: {name: rate}\nmodel: {layers: [convolution: {channels: 4, kernel: 3}, neuron: {kind:"
        + " clif}, linear]}",
      "method.name rate is not defined for neurons of kind clif, whose reset depends on all their"
        + " spikes: take another kind or method"
    ),
    (
      "method: {name: rate}\nneuron: {threshold_rule: stabilized}",
      "method.name rate is not defined for neuron.threshold_rule stabilized: set that to fixed"
    ),
    (
      "loss: {kind: mean-of-losses}\nmethod: {name: rate}",
      "loss.kind mean-of-losses makes no sense for method.name rate, which has the mean of all outputs"
        + " only: remove it"
    ),
    (
      "method: {name: sltt-k}\nloss: {kind: loss-of-mean}",
      "method.name = sltt-k needs method.k, the time steps to train: set it"
    ),
    (
      "method: {name: sltt-k, k: 9, timesteps: 4}\nloss: {kind: loss-of-mean}",
      "method.k = 9 exceeds method.timesteps = 4: lower k or raise timesteps"
    ),
    (
      "loss: {kind: loss-of-mean}\nmethod: {name: ottt}",
      "loss.kind loss-of-mean needs the outputs of all time steps before the first goes back, which"
        + " method.name ottt does not wait for: remove it, or take bptt or rate"
    ),
    (
      "loss: {step_weights: [1, 2], kind: loss-of-mean}\nmethod: {name: bptt, timesteps: 2}",
      "loss.step_weights are for a loss at each time step, but loss-of-mean has one of all: remove them"
    ),
    (
      "loss: {step_weights: [1, 2]}\nmethod: {name: rate, timesteps: 2}",
      "loss.step_weights are for a loss at each time step, but loss-of-mean has one of all: remove them"
    ),
    (
      "loss: {step_weights: [1, 2]}\nmethod: {timesteps: 3}",
      "loss.step_weights has 2 numbers, but method.timesteps is 3: give one for each time step"
    ),
    (
      "optimizer: {nesterov: true, momentum: 0}",
      "optimizer.nesterov needs momentum, but optimizer.momentum is 0: raise it"
        + " or set nesterov to false"
    ),
    (
      "schedule: {warmup_epochs: 20}",
      "schedule.warmup_epochs = 20 leaves nothing of training.epochs = 20: lower it"
        + " or raise epochs"
    ),
    (
      "data: {format: archive}",
      "data.format = archive needs data.path: set it, or leave format out to train on the embedded"
        + " MNIST"
    ),
    (
      "loss: {mse_weight: 0, mse_target: one-hot}",
      "loss.mse_target has no effect without loss.mse_weight above 0: set that, or remove"
        + " loss.mse_target"
    ),
    (
      "model: {architecture: nf-resnet34, dropout: 0.5}",
      "model.dropout = 0.5 has no effect, since the network has no dropout: remove it, or put a dropout"
        + " into model.layers"
    ),
    (
      "loss: {mse_weight: 0.5, mse_target: one-hot, mse_mean: 3}",
      "loss.mse_mean has no effect without loss.mse_target constant: set that, or remove loss.mse_mean"
    ),
    (
      "loss: {mse_weight: 1, label_smoothing: 0.1}",
      "loss.label_smoothing has no effect without loss.mse_weight below 1: set that, or remove"
        + " loss.label_smoothing"
    ),
    (
      "distill: {weight: 0.2}",
      "distill.weight has no effect without a teacher, distill.checkpoint: set that, or remove"
        + " distill.weight"
    ),
    (
      "optimizer: {name: adamw, momentum: 0.8}",
      "optimizer.momentum has no effect without optimizer.name sgd: set that, or remove"
        + " optimizer.momentum"
    ),
    (
      "optimizer: {name: adamw, nesterov: true}",
      "optimizer.nesterov has no effect without optimizer.name sgd: set that, or remove"
        + " optimizer.nesterov"
    ),
    (
      "schedule: {gamma: 0.5}",
      "schedule.gamma has no effect without schedule.name step: set that, or remove schedule.gamma"
    ),
    (
      "data: {max_bad_samples: 5}",
      "data.max_bad_samples has no effect without data.on_bad_sample skip: set that, or remove"
        + " data.max_bad_samples"
    ),
  ])
  func explainsImpossibleCombinations(yaml: String, expected: String) throws {
    var configuration = Configuration()
    try configuration.apply(yaml: "\n" + yaml, from: "run.yaml")
    #expect(message { try configuration.validate() } == "run.yaml:2: " + expected)
  }

  @Test func acceptsWhatIsPossible() throws {
    for overrides in [
      ["method.name=sltt-k", "method.k=4"], ["neuron.tau=inf"], ["schedule.warmup_epochs=11"],
      ["neuron.kind=plif"], ["optimizer.nesterov=true"],
      // As a written configuration has them, which is the default.
      ["optimizer.name=adamw", "optimizer.momentum=0.9", "schedule.gamma=0.1"],
      ["data.format=archive", "data.path=x.tar"], ["model.blocks=[2,2]"],
      ["method.name=ottt", "model.normalization=online"], ["method.name=rate", "neuron.levels=4"],
      ["method.name=rate", "loss.kind=loss-of-mean"],
      ["method.name=bptt", "loss.kind=loss-of-mean"],
      ["method.timesteps=2", "loss.step_weights=[0,1.5]"],
      ["model.architecture=sew-resnet34", "model.stem=imagenet", "method.name=rate"],
      ["model.family=sew-resnet", "model.blocks=[1]", "model.stem=cifar", "method.name=bptt"],
      [
        "method.name=sltt-k", "method.k=2", "method.skip_trailing=true",
        "model.architecture=nf-resnet34", "model.family=null", "model.blocks=null",
      ],
    ] {
      _ = try Configuration(file: nil, overrides: overrides)
    }
  }

  @Test func needsAnImageForEachRank() throws {
    let configuration = try Configuration(file: nil, overrides: ["training.global_batch=3"])
    try configuration.validate(ranks: 3)
    #expect(
      message { try configuration.validate(ranks: 4) }
        == "--set training.global_batch=3: training.global_batch = 3 is less than one image for"
        + " each of 4 ranks: raise it to 4 or more, or start fewer ranks")
  }

  @Test func needsASampleForEachRank() throws {
    let configuration = try Configuration(file: nil, overrides: ["data.path=few"])
    try configuration.validate(ranks: 3, samples: 3)
    #expect(
      message { try configuration.validate(ranks: 4, samples: 3) }
        == "--set data.path=few: data.path has 3 training samples, fewer than the 4 ranks: start at"
        + " most 3 ranks, or add samples")
    // By the option that named them.
    var named = Configuration()
    try named.apply("data.path", "few: or = none", option: "--data")
    #expect(named.data.path == "few: or = none")
    #expect(
      message { try named.validate(ranks: 4, samples: 3) }
        .hasPrefix("--data few: or = none: data.path has 3 training samples"))
  }

  @Test func anEpochWithoutItsLastBatchHasABatch() throws {
    let configuration = try Configuration(
      file: nil, overrides: ["data.drop_last=true", "training.global_batch=8"])
    try configuration.validate(ranks: 1, samples: 8)
    #expect(
      message { try configuration.validate(ranks: 1, samples: 7) }
        == "--set data.drop_last=true: data.drop_last = true leaves nothing of 7 training samples,"
        + " fewer than training.global_batch = 8: lower that, or set drop_last to false")
  }
}
