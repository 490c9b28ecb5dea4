import Configuration
import Distributed
import Foundation
import TestSupport
import Testing

@testable import Training

struct GradientComparerTests {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    try DigitSubset("train", counts: [8, 8, 7]).write(to: directory, split: "train")
  }

  /// A network with batch norm and everything that is random in training.
  private func configuration(_ overrides: [String]) throws -> Configuration {
    try Configuration(
      file: nil,
      overrides: [
        "model.blocks=[1,1]", "model.width=4", "model.input_channels=1", "model.dropout=0.3",
        "data.image_size=16", "data.path=\(directory.path)", "data.mixup=0.4",
        "data.augmentation=cifar", "method.timesteps=3", "training.global_batch=10",
      ] + overrides)
  }

  private func comparer(
    _ reference: Configuration.Method.Name, _ overrides: [String], weights: ModelFile? = nil
  ) throws -> GradientComparer {
    try GradientComparer(
      configuration(overrides), with: reference, weights: weights, backend: .oneDNN, threads: 1,
      SingleProcess())
  }

  private func compare(
    _ reference: Configuration.Method.Name, _ overrides: String..., batches: Int = 2
  ) throws -> GradientComparison {
    try withOneThread { try comparer(reference, overrides).compare(batches: batches) }
  }

  /// Where no gradient flows from one time step to another, both rules have the same gradients; so both have
  /// seen the same samples, mixtures, crops and dropped spikes.
  @Test(arguments: [[], ["training.micro_batch=4"], ["loss.step_weights=[0.5, 1, 2]"]])
  func allThatIsRandomIsTheSameForBoth(_ overrides: [String]) throws {
    // With tau = 1 nothing is left of the membrane potential after a time step.
    let comparer = try comparer(.bptt, ["neuron.tau=1"] + overrides)
    let found = try withOneThread { try comparer.compare(batches: 4) }
    for row in found.parameters + [found.all] {
      // Batch norm takes away the biases before it.
      if row.name.hasSuffix("conv1.bias") || row.name.hasSuffix("conv2.bias")
        || row.name.hasSuffix("shortcut.bias")
      {
        #expect(row.referenceNorm < 1e-6 * found.all.referenceNorm, "\(row.name)")
        continue
      }
      #expect(abs(try #require(row.cosine).mean - 1) < 1e-6, "\(row.name)")
      #expect(abs(try #require(row.normRatio).mean - 1) < 1e-6, "\(row.name)")
      #expect(row.referenceNorm > 1e-6 * found.all.referenceNorm, "\(row.name)")
    }
    #expect(found.text.contains("are hardly more than rounding."))
    // Three batches an epoch, the last one with the remaining samples.
    #expect(found.batches == 4 && found.samples == 10 + 10 + 3 + 10)
    #expect(found.all.elements == found.parameters.reduce(0) { $0 + $1.elements })
    // Nothing was left behind.
    #expect(try withOneThread { try comparer.compare(batches: 4) }.json == found.json)
  }

  /// Where a skip gain scales what has traces for one of them.
  @Test(arguments: [["method.name=ottt"], ["method.name=sltt"]])
  func theRulesDoNotMeetOnTheWay(_ method: [String]) throws {
    // With tau = 1 a trace is the spike itself, so that both rules are one.
    let overrides = ["model.family=nf-resnet", "neuron.tau=1", "model.dropout=0"] + method
    let job = try SmallJob(
      ["model.family=nf-resnet", "model.blocks=[1,1]", "model.width=4", "neuron.tau=1"],
      SingleProcess())
    // A classifier of 0 would hide the layers before it, and hardly any would fire.
    job.assign { name, index in
      if name.hasSuffix("gain") { return 2 }
      return name == "fc.weight" ? Float(index * 7 % 11 - 5) / 5 : nil
    }
    try job.write(to: directory.file("weights"))
    let comparer = try comparer(
      method == ["method.name=ottt"] ? .sltt : .ottt, overrides,
      weights: ModelFile(at: directory.file("weights")))
    let found = try withOneThread { try comparer.compare(batches: 3) }
    let gains = found.parameters.filter { $0.name.hasSuffix("skipinit_gain") }
    #expect(!gains.isEmpty)
    for row in gains {
      #expect(abs(try #require(row.cosine).mean - 1) < 1e-5, "\(row.name)")
      #expect(abs(try #require(row.normRatio).mean - 1) < 1e-4, "\(row.name)")
    }
  }

  @Test func theMoreIsRememberedTheMoreIsLeftOut() throws {
    let cosines = try [1.1, 2, 5].map { tau in
      try #require(try compare(.bptt, "neuron.tau=\(tau)").all.cosine?.mean)
    }
    #expect(cosines[0] > 0.95 && cosines[0] < 1)
    #expect(cosines[1] < cosines[0] && cosines[2] < cosines[1])
  }

  /// All rules are the same where there is one time step.
  @Test(arguments: [Configuration.Method.Name.slttK, .bptt, .ottt, .rate])
  func aSingleTimeStepHasOneGradient(_ reference: Configuration.Method.Name) throws {
    let found = try compare(reference, "method.timesteps=1", batches: 1)
    #expect(abs(try #require(found.all.cosine).mean - 1) < 1e-5)
    #expect(found.all.cosine?.deviation == nil)
    let lines = found.text.split(separator: "\n")
    #expect(lines[1] == "sltt beside \(reference.rawValue), initial weights")
    #expect(lines[2] == "10 samples in 1 batch of \(directory.path)/train")
    #expect(found.text.contains("The losses differ") == (reference == .rate))
  }

  @Test func theLossStaysTheSameWhereItCan() throws {
    let found = try compare(.bptt, "method.name=rate", batches: 1)
    #expect(found.reference.loss == "loss-of-mean" && found.method.loss == "loss-of-mean")
    #expect(!found.text.contains("The losses differ"))
  }

  @Test func takesTheWeightsOfACheckpoint() throws {
    let job = try SmallJob(
      ["model.blocks=[1,1]", "model.width=4", "model.dropout=0.3"], SingleProcess())
    let path = directory.file("x.safetensors")
    try job.write(to: path)
    let file = try ModelFile(contentsOf: path)
    func cosine(_ file: ModelFile?) throws -> Double? {
      try withOneThread {
        try comparer(.bptt, ["training.seed=5"], weights: file).compare(batches: 1).all.cosine?.mean
      }
    }
    let untrained = try cosine(file)
    #expect(try untrained != cosine(nil))
    job.assign { name, _ in name == "conv1.weight" ? 0.2 : nil }
    try job.write(to: path)
    let changed = try ModelFile(contentsOf: path)
    #expect(try cosine(changed) != untrained)
    try job.write(to: path, classes: ["0", "1", "3"])
    let others = try ModelFile(contentsOf: path)
    #expect(message { _ = try cosine(others) }.contains("was trained on other classes"))
  }

  @Test func refusesWhatIsNotDefined() throws {
    #expect(
      message { _ = try compare(.sltt) }
        == "--compare sltt is the configured method itself: name another, or set method.name")
    #expect(
      message { _ = try compare(.bptt, "model.normalization=online") }.contains(
        "online is not defined for method.name bptt"))
    #expect(
      message { _ = try compare(.rate, "neuron.kind=clif") }.contains(
        "rate is not defined for neurons of kind clif"))
  }

  @Test func namesAGradientThatIsNotFinite() throws {
    let job = try SmallJob(["model.blocks=[1,1]", "model.width=4"], SingleProcess())
    job.assign { name, index in name == "linear.weight" ? (index % 2 == 0 ? 3e38 : -3e38) : nil }
    let path = directory.file("x.safetensors")
    try job.write(to: path)
    let file = try ModelFile(contentsOf: path)
    #expect(
      message {
        _ = try withOneThread { try comparer(.bptt, [], weights: file).compare(batches: 1) }
      }.hasSuffix(" by sltt is not finite in batch 1"))
  }
}
