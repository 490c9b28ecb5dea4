import Configuration
import Testing

@testable import Training

struct TrainedOnTests {
  /// Keys that differ, before and now.
  private func differences(
    _ before: [String], _ now: [String], includingCourse: Bool
  ) throws -> [TrainedOn.Difference] {
    func configuration(_ overrides: [String]) throws -> Configuration {
      try Configuration(file: nil, overrides: overrides)
    }
    let trained = TrainedOn(
      path: "run", classes: ["cat", "dog"], configuration: try configuration(before).yaml)
    return try trained.differences(
      from: try configuration(now), includingCourse: includingCourse)
  }

  @Test(arguments: [
    (["optimizer.name=adamw"], "optimizer.name", "sgd", "adamw"),
    (["optimizer.momentum=0"], "optimizer.momentum", "a number above 0", "0"),
    (["model.classes=5"], "model.classes", "2", "5"),
    (["training.global_batch=7"], "training.global_batch", "64", "7"),
  ])
  func aRunCannotChangeTheseOnItsWay(
    overrides: [String], key: String, before: String, now: String
  ) throws {
    let begun = ["training.global_batch=64", "optimizer.momentum=0.9"]
    #expect(
      try differences(begun, begun + overrides, includingCourse: true)
        == [.init(key: key, before: before, now: now)])
    #expect(try differences(begun, begun + overrides, includingCourse: false) == [])
  }

  @Test func whatItMayChangeIsNoDifference() throws {
    let changes = ["optimizer.learning_rate=0.5", "optimizer.momentum=0.5", "model.classes=2"]
    #expect(try differences([], changes, includingCourse: true) == [])
  }

  @Test func networksThatDifferInOneKeyAreToldApartByIt() throws {
    #expect(
      try differences(["model.width=4"], ["model.width=8"], includingCourse: true)
        == [.init(key: "model.width", before: "4", now: "8")])
    let deeper = ["model.width=8", "model.blocks=[2, 2]"]
    #expect(
      try differences(["model.width=4"], deeper, includingCourse: true).map(\.key)
        == ["model.architecture"])
  }

  @Test func networksAreComparedLayerByLayer() throws {
    func layers(_ channels: Int, _ more: String = "") -> [String] {
      ["model.layers=[convolution: {channels: \(channels), kernel: 3}, neuron, linear\(more)]"]
    }
    let published = ["model.family=resnet", "model.blocks=[1]", "model.width=8"]
    #expect(
      try differences(published, layers(4), includingCourse: false)
        == [.init(key: "model.architecture", before: "resnet [1], width 8", now: "own network")])
    #expect(
      try differences(layers(4), layers(8), includingCourse: false)
        == [
          .init(
            key: "model.layers", before: "'convolution: {channels: 4, kernel: 3}'",
            now: "'convolution: {channels: 8, kernel: 3}'")
        ])
    #expect(
      try differences(layers(4), layers(4, ", linear"), includingCourse: true)
        == [.init(key: "model.layers", before: "no more layers", now: "'linear: {}'")])
    let same = try Configuration(file: nil, overrides: published).withLayers()
    let text = try #require(same.value(of: "model.layers"))
    #expect(try differences(published, ["model.layers=\(text)"], includingCourse: true) == [])
  }

  @Test func aLearntTimeConstantIsAParameter() throws {
    let learnt = ["neuron.kind=plif", "neuron.tau=2"]
    #expect(
      try differences(["neuron.tau=2"], learnt, includingCourse: false)
        == [.init(key: "neuron.kind", before: "lif", now: "plif")])
  }
}
