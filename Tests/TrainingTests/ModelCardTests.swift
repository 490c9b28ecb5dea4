import Configuration
import Distributed
import Foundation
import TestSupport
import Testing

@testable import Training

struct ModelCardTests {
  private func card(
    _ overrides: [String], channels: Int, state: RunState? = nil
  ) throws -> ModelCard {
    var configuration = try Configuration(
      file: nil, overrides: ["model.blocks=[1]", "model.width=4"] + overrides)
    configuration.model.inputChannels = channels
    return try ModelCard(configuration, classes: 3, state: state)
  }

  @Test func saysWhatBecomesOfAnImage() throws {
    let card = try card(
      [
        "data.path=/far/away/photos", "data.image_size=56", "data.augmentation=imagenet",
        "data.normalization=imagenet", "neuron.tau=2", "method.name=sltt-k", "method.k=2",
      ], channels: 3, state: .example(iteration: 7))
    #expect(card.input.kind == .image && card.input.size == 56 && card.input.channels == 3)
    #expect(card.input.preparation == ["resize: {size: 64}", "center_crop: {}"])
    #expect(card.input.mean == [0.485, 0.456, 0.406])
    #expect(card.input.deviation == [0.229, 0.224, 0.225])
    #expect(card.neuron.kind == "lif" && card.neuron.tau == 2 && card.timesteps == 4)
    let training = try #require(card.training)
    #expect(training.data == "photos" && training.method == "sltt-k, T = 4, K = 2")
    #expect(card.result?.iterations == 7)
  }

  @Test func saysWhatBecomesOfARecording() throws {
    let card = try card(
      [
        "data.normalization=none", "data.augmentation=none", "data.event_normalization=maximum",
        "neuron.kind=if", "data.frames={duration: 500}",
      ], channels: 2, state: .example(iteration: 7))
    #expect(card.input.kind == .events && card.input.preparation == ["{duration: 500}"])
    #expect(card.training?.augmentation == ["{flip: false, shift: 0, roll: 0}"])
    #expect(card.input.normalization == "maximum" && card.input.mean == nil)
    #expect(card.neuron.tau == nil)
  }

  @Test func isReadAsItWasWritten() throws {
    var card = try card(
      ["training.seed=18446744073709551615"], channels: 1, state: .example(iteration: 7))
    card.rounding = "int8"
    #expect(ModelCard(json: card.json) == card)
    #expect(card.json.contains("\"global_batch\":"))
    #expect(ModelCard(json: "{}") == nil)
    let text = card.text(classes: (0..<12).map { "c\($0)" })
    #expect(text.contains("\nclasses              12: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, …\n"))
    #expect(text.contains("28x28x1 image"))
    #expect(text.contains("\nweights              rounded to int8 after all that follows\n"))
    #expect(text.contains("\ntrained for          0 of "))
  }

  /// Of a network that came from elsewhere nobody knows how it was trained.
  @Test func inventsNoTraining() throws {
    let card = try card(["optimizer.learning_rate=0.3"], channels: 1)
    #expect(card.training == nil && card.result == nil)
    #expect(!card.text(classes: ["a", "b", "c"]).contains("trained"))
    #expect(ModelCard(json: card.json) == card)
  }

  /// The channels are those of the weights, wherever the data are now.
  @Test func aFileTellsItsChannels() throws {
    let directory = try TemporaryDirectory()
    let job = try SmallJob(["model.blocks=[1]", "model.width=4"], SingleProcess())
    var configuration = job.configuration
    configuration.data.path = directory.file("gone")
    let path = directory.file("x.safetensors")
    try ModelFile.write(
      try Snapshot(job.network, job.trainer.replica.optimizer).modelTensors,
      configuration: configuration.yaml, classes: ["a", "b", "c"], to: path)
    let model = try ModelFile(contentsOf: path)
    #expect(configuration.inputChannels == 3)
    #expect(try model.resolvedConfiguration().inputChannels == 1)
    #expect(try model.card().input.channels == 1)
    let exported = try model.metadataForExport(.float32)
    #expect(try ModelCard(json: #require(exported["model_card"])) == model.card())
    let rounded = try model.metadataForExport(.int8)
    #expect(try ModelCard(json: #require(rounded["model_card"]))?.rounding == "int8")
  }
}
