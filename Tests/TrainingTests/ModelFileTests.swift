import Configuration
import Foundation
import SafeTensors
import SpikingNetworks
import Tensors
import TestSupport
import Testing

@testable import Training

struct ModelFileTests {
  private let directory: TemporaryDirectory
  private let path: String
  private let configuration: Configuration
  private let classes = ["cat", "dog \"big\"", "æ/ß"]

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("x.safetensors")
    configuration = try Configuration(
      file: nil, overrides: ["model.blocks=[1,1]", "model.width=4", "neuron.kind=plif"])
  }

  private func network(seed: UInt64, width: Int = 4, blocks: [Int] = [1, 1]) throws
    -> SpikingNetwork
  {
    var configuration = configuration
    (configuration.model.width, configuration.model.blocks) = (width, blocks)
    let network = try SpikingNetwork(
      configuration.networkSpecification(classes: 3), seed: seed, arena: Arena(capacity: 4 << 20))
    for index in 0..<network.store.statisticValues.count {
      network.store.statisticValues.all[index] = Float(seed) + Float(index) / 7
    }
    return network
  }

  private func write(_ network: SpikingNetwork) throws -> ModelFile {
    let snapshot = try Snapshot(
      network, configuration.makeOptimizer(count: network.store.weights.count))
    try ModelFile.write(
      snapshot.modelTensors, configuration: configuration.yaml, classes: classes, to: path)
    return try ModelFile(contentsOf: path)
  }

  @Test func restoresWhatWasWritten() throws {
    let (written, read) = (try network(seed: 1), try network(seed: 2))
    let checkpoint = try write(written)
    #expect(checkpoint.path == path && checkpoint.classes == classes)
    var resolved = Configuration()
    try resolved.apply(yaml: checkpoint.configuration, from: "the checkpoint")
    #expect(resolved == configuration)

    #expect(read.store.weights.all.elements != written.store.weights.all.elements)
    try checkpoint.restore(read)
    #expect(read.store.weights.all.elements == written.store.weights.all.elements)
    #expect(read.store.statisticValues.all.elements == written.store.statisticValues.all.elements)
    #expect(try directory.contents == ["x.safetensors"])
  }

  @Test func holdsEveryTensorInItsPublishedShape() throws {
    let network = try network(seed: 1)
    _ = try write(network)
    let file = try SafeTensorsFile(contentsOf: path)
    let tensors = network.store.parametersInForwardOrder + network.store.statistics
    #expect(file.names == tensors.map(\.name))
    for tensor in tensors {
      #expect(try file.shape(of: tensor.name) == tensor.shape)
      #expect(try file.floats(tensor.name) == tensor.published(tensor.values))
    }
    #expect(file.metadata["format"] == "pt")
  }

  @Test func anotherNetworkIsRefusedAndKeepsItsValues() throws {
    let checkpoint = try write(try network(seed: 1))
    for (other, problem) in [
      (try network(seed: 2, width: 8), "has shape"),
      (try network(seed: 2, blocks: [1, 2]), "does not hold this network: it lacks"),
    ] {
      let before = other.store.weights.all.elements
      let text = message { try checkpoint.restore(other) }
      #expect(text.hasPrefix(path) && text.contains(problem), "\(text)")
      #expect(other.store.weights.all.elements == before)
    }
  }

  @Test(arguments: ["configuration", "classes"])
  func filesOfOtherOriginAreRefused(missing: String) throws {
    var metadata = ["configuration": "x", "classes": "[]"]
    try SafeTensorsWriter.write([], metadata: metadata, to: path)
    #expect(try ModelFile(at: path).configuration == "x")
    for wrong in [nil, "?"] where wrong == nil || missing != "configuration" {
      metadata[missing] = wrong
      try SafeTensorsWriter.write([], metadata: metadata, to: path)
      #expect(
        message { _ = try ModelFile(at: path) }.hasPrefix(
          "\(path) is not a model of sltt-dist: its metadata lack configuration or classes"))
    }
  }

  @Test(arguments: [
    ("\u{89}HDF\r\n\u{1a}\n", "is an HDF5 file, as NIR graphs are: name the run or checkpoint"),
    ("PK\u{3}\u{4}", "is a PyTorch state dict: make a model of it with sltt-dist import"),
  ])
  func filesOfOtherFormatsAreNamed(start: String, expected: String) throws {
    let bytes = start.unicodeScalars.map { UInt8($0.value) } + [UInt8](repeating: 0, count: 100)
    try Foundation.Data(bytes).write(to: URL(fileURLWithPath: path))
    #expect(message { _ = try ModelFile(at: path) }.hasPrefix("\(path) \(expected)"))
  }

  @Test func namesTheFirstOtherClass() throws {
    let checkpoint = try write(try network(seed: 1))
    try TrainedOn(checkpoint).requireClasses(classes)
    #expect(
      message { try TrainedOn(checkpoint).requireClasses(["cat", "dog", "æ/ß"]) }
        == "\(path) was trained on other classes: number 1 (from 0) is 'dog \"big\"' there and 'dog'"
        + " in these data")
    #expect(
      message { try TrainedOn(checkpoint).requireClasses(classes + ["eel"]) }.hasSuffix(
        "number 3 (from 0) is no class there and 'eel' in these data"))
    #expect(
      message { try TrainedOn(checkpoint).requireClasses(["cat"]) }.hasSuffix(
        "number 1 (from 0) is 'dog \"big\"' there and no class in these data"))
  }

  /// A file from elsewhere may hold anything.
  @Test func aConfigurationThatIsNotValidIsAnError() throws {
    let snapshot = try Snapshot(
      network(seed: 1), configuration.makeOptimizer(count: network(seed: 1).store.weights.count))
    try ModelFile.write(
      snapshot.modelTensors,
      configuration: configuration.yaml.replacing("name: sltt ", with: "name: sltt-k "),
      classes: classes, to: path)
    let error = #expect(throws: ConfigurationError.self) {
      try ModelFile(contentsOf: path).resolvedConfiguration()
    }
    #expect(error.map { "\($0)".contains("method.k") } == true)
  }
}
