import Configuration
import Foundation
import SpikingNetworks
import Tensors
import TestSupport
import Testing

@testable import Training

struct ConfigurationObjectsTests {
  @Test func defaultsMakeASmallNetwork() throws {
    let configuration = Configuration()
    #expect(
      try configuration.networkSpecification(classes: 10)
        == NetworkSpecification(
          family: .resNet, blocks: [1, 1, 1], width: 16, classes: 10, inputChannels: 1,
          imageSize: 28))
    #expect(configuration.method.rule == .sltt(timesteps: 4))
    #expect(configuration.learningRateSchedule.rate(epoch: 0) == 0.1)
  }

  @Test func specifiesPublishedAndOwnNetworks() throws {
    var configuration = Configuration()
    try configuration.apply(
      overrides: [
        "model.architecture=nf-resnet50", "neuron.tau=inf", "neuron.surrogate=sigmoid",
        "data.path=photos", "data.image_size=224", "model.dropout=0.25", "model.classes=12",
      ])
    let network = try configuration.networkSpecification(classes: 10)
    #expect(
      network.parts == NetworkFamily.nfResNetBottleneck.parts(blocks: [3, 4, 6, 3], width: 16))
    #expect(network.classes == 12 && network.inputChannels == 3 && network.imageSize == 224)
    #expect(network.dropout == 0.25 && network.neuron.tau == .infinity)
    #expect(network.neuron.surrogate == SurrogateGradient(.sigmoid, width: 4))

    try configuration.apply(
      overrides: ["model.family=vgg", "model.blocks=[1,2]", "neuron.surrogate_width=2"])
    let own = try configuration.networkSpecification(classes: 10)
    #expect(own.parts == NetworkFamily.vgg.parts(blocks: [1, 2], width: 16))
    #expect(own.neuron.surrogate == SurrogateGradient(.sigmoid, width: 2))
  }

  @Test func refusesClassesThatDoNotFitTheData() throws {
    let configuration = try Configuration(file: nil, overrides: ["model.classes=5"])
    #expect(try configuration.networkSpecification(classes: nil).classes == 5)
    #expect(
      message { _ = try configuration.networkSpecification(classes: 10) }
        == "--set model.classes=5: model.classes = 5, but the data have 10 classes: set it to that"
        + " or leave it out")
    #expect(
      message { _ = try Configuration().networkSpecification(classes: nil) }
        == "configuration: model.classes is not set, and there are no data to take it from: set it")
  }

  @Test func loadsThePublishedConfigurations() throws {
    let directory = URL(fileURLWithPath: #filePath)
      .appendingPathComponent("../../../configs").standardized
    let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
    #expect(names.count >= 4)
    for name in names {
      let path = directory.appendingPathComponent(name).path
      let configuration = try Configuration(file: path)
      _ = try configuration.networkSpecification(classes: 10)
      let widths = [
        "nmnist-vgg11.yaml": 16, "cifar10-2h.yaml": 32, "cifar10-own-network.yaml": nil,
      ]
      #expect(configuration.model.width == widths[name, default: 64], "\(name)")
      #expect(configuration != Configuration(), "\(name)")
    }
  }

  @Test func theScheduleIsConfigured() throws {
    let schedule = try Configuration(
      file: nil,
      overrides: [
        "optimizer.learning_rate=0.8", "training.epochs=9", "schedule.name=step",
        "schedule.warmup_epochs=2", "schedule.step_size=3", "schedule.gamma=0.25",
      ]
    ).learningRateSchedule
    let rates = (0..<9).map { schedule.rate(epoch: $0) }
    let expected = [0.8 / 3, 1.6 / 3, 0.8, 0.8, 0.8, 0.2, 0.2, 0.2, 0.05]
    #expect(largestDifference(rates, expected) < 1e-12)
  }

  /// What becomes of a weight of 1 along gradients of 2 and -1 at a rate of 0.5, by update.
  private func weights(_ overrides: String...) throws -> [Float] {
    let optimizer = try Configuration(file: nil, overrides: overrides).makeOptimizer(count: 1)
    let (weight, gradient) = (FlatBuffer(count: 1), FlatBuffer(count: 1))
    weight.all.assign([1])
    return ([2, -1] as [Float]).map { value in
      gradient.all.assign([value])
      optimizer.update(weight.all, along: gradient.all, learningRate: 0.5)
      return weight.all.elements[0]
    }
  }

  @Test func theOptimizerIsConfigured() throws {
    let decay = "optimizer.weight_decay=0.25"
    #expect(try weights(decay, "optimizer.momentum=0.5") == [-0.125, -0.171875])
    #expect(
      try weights(decay, "optimizer.momentum=0.5", "optimizer.nesterov=true")
        == [-0.6875, -0.08984375])
    // The first step of Adam is as long as the learning rate.
    #expect(try abs(weights(decay, "optimizer.name=adamw")[0] - 0.375) < 1e-5)
  }

  @Test func theLearningRuleIsConfigured() throws {
    let configuration = try Configuration(
      file: nil,
      overrides: [
        "model.family=nf-resnet", "model.blocks=[1]", "method.name=sltt-k", "method.timesteps=6",
        "method.k=2",
        "method.skip_trailing=true",
      ])
    #expect(configuration.method.rule == .slttK(timesteps: 6, k: 2, skipsTrailing: true))
  }

  @Test func theLossIsConfigured() throws {
    let configuration = try Configuration(file: nil, overrides: ["loss.label_smoothing=0.1"])
    #expect(configuration.lossSpecification.labelSmoothing == 0.1)
  }
}
