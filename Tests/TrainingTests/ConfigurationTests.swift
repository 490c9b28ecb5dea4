import Foundation
import SpikingNetworks
import Tensors
import Testing

@testable import Training

struct ConfigurationTests {
  @Test func defaultsAreValid() throws {
    let configuration = try Configuration(file: nil)
    #expect(configuration == Configuration())
    try configuration.validate(ranks: 8)
    let network = try configuration.networkSpecification(classes: 10)
    #expect(
      network
        == NetworkSpecification(
          family: .resNet, blocks: [1, 1, 1], width: 16, classes: 10, inputChannels: 1,
          imageSize: 28))
    #expect(configuration.learningRule == .sltt(timesteps: 4))
    #expect(configuration.learningRateSchedule.rate(epoch: 0) == 0.1)
  }

  /// The names are part of the contract with users.
  @Test func hasTheDocumentedKeys() {
    let contract = [
      "model": "architecture family blocks width classes input_channels dropout",
      "neuron": "tau threshold surrogate surrogate_width learnable_tau",
      "method": "name timesteps k skip_trailing",
      "loss": "mse_weight mse_target mse_mean label_smoothing",
      "optimizer": "name learning_rate momentum nesterov weight_decay shard",
      "schedule": "name warmup_epochs step_size gamma",
      "training": """
      epochs max_iterations global_batch micro_batch seed precision memory log_every on_nonfinite check_replicas_every
      """,
      "distributed": "overlap wire",
      "checkpoint": "every_iterations every_minutes every_epochs keep on_error",
      "data": """
      format path train validation drop_last image_size augmentation evaluation mixup cutmix \
      normalization convention frames event_augmentation event_normalization decoding sharding on_bad_sample \
      max_bad_samples workers
      """,
    ]
    let names = contract.flatMap { section, keys in
      keys.split(whereSeparator: \.isWhitespace).map { "\(section).\($0)" }
    }
    #expect(Configuration.keys.map(\.name).sorted() == names.sorted())
    #expect(Configuration.sections.count == contract.count)
  }

  @Test func specifiesPublishedAndOwnNetworks() throws {
    var configuration = Configuration()
    try configuration.apply(
      overrides: [
        "model.architecture=nf-resnet50", "neuron.tau=inf", "neuron.surrogate=sigmoid",
        "data.path=photos", "data.image_size=224", "model.dropout=0.25", "model.classes=12",
      ])
    let network = try configuration.networkSpecification(classes: 10)
    #expect(network.family == .nfResNetBottleneck && network.blocks == [3, 4, 6, 3])
    #expect(network.classes == 12 && network.inputChannels == 3 && network.imageSize == 224)
    #expect(network.dropout == 0.25 && network.neuron.tau == .infinity)
    #expect(network.neuron.surrogate == SurrogateGradient(.sigmoid, width: 4))

    try configuration.apply(
      overrides: ["model.family=vgg", "model.blocks=[1,2]", "neuron.surrogate_width=2"])
    let own = try configuration.networkSpecification(classes: 10)
    #expect(own.family == .vgg && own.blocks == [1, 2])
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
      let network = try configuration.networkSpecification(classes: 10)
      #expect(network.width == (name.hasPrefix("nmnist") ? 16 : 64), "\(name)")
      #expect(configuration != Configuration(), "\(name)")
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(text.contains("sltt-dist train --config configs/\(name)"), "\(name)")
    }
  }
}

/// The text of the error that the body throws.
func message(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch {
    return "\(error)"
  }
}
