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

  @Test func theLossIsConfigured() throws {
    let configuration = try Configuration(file: nil, overrides: ["loss.label_smoothing=0.1"])
    #expect(configuration.lossSpecification.labelSmoothing == 0.1)
  }
}
