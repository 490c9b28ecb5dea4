import Configuration
import Foundation
import SpikingNetworks
import Support
import TestSupport
import Testing

@testable import Datasets
@testable import Training

struct RunStateTests {
  @Test func readsWhatItWrites() throws {
    var state = RunState.example(iteration: 12)
    state.position.bestAccuracy = 0.1 + 0.2
    state.position.epochMetrics.loss = 1.0 / 3
    // The names stay as they are, unlike those of keys.
    state.position.inputDensities = ["layer1.0.convA_b": 0.1, "conv1": 1.0 / 3]
    state.position.inputRates = ["layer1.0.convA_b": 0.2]
    state.position.epochMetrics.spikeInputs = [SpikeInput(spikes: 3, elements: 14)]
    state.position.epochMetrics.inputs = [.init(spikes: 3, sites: 7), .init()]
    let json = state.json
    #expect(try RunState(json: json, path: "x") == state)
    let text = String(decoding: json, as: UTF8.self)
    for key in [
      "format_version", "world_size", "chunk_length", "best_accuracy", "training_samples",
    ] {
      #expect(text.contains("\"\(key)\" : "))
    }
  }

  /// A checkpoint that a program wrote which knew version 1 only.
  @Test func version1StaysReadable() throws {
    let directory = ReferenceCase.directory.appendingPathComponent("checkpoint-version-1").path
    let checkpoint = try Checkpoint(contentsOf: directory).verified()
    let state = checkpoint.state
    #expect(state.position.iteration == 95 && state.updates == 95 && state.seed == 2022)
    #expect(state.position.epochMetrics.samples == 250)
    #expect(state.trainingList == nil && state.position.seconds == nil)
    var configuration = Configuration()
    try configuration.apply(yaml: state.configuration, from: "x")
    let network = try SpikingNetwork(
      configuration.networkSpecification(classes: state.classes.count), seed: 1)
    let optimizer = configuration.makeOptimizer(count: network.store.weights.count)
    try checkpoint.restore(network, optimizer.state)
    // Written again, it is of the present version.
    #expect(try RunState(json: state.json, path: "x") == state)
    #expect(String(decoding: state.json, as: UTF8.self).contains("\"format_version\" : 2"))

    let json = try Data(contentsOf: URL(fileURLWithPath: directory + "/state.json"))
    var damaged = json
    let place = try #require(json.firstRange(of: Data("\"updates\" : 95".utf8))).upperBound - 1
    damaged[place] = UInt8(ascii: "4")
    let error = #expect(throws: CheckpointError.self) { try RunState(json: damaged, path: "x") }
    #expect(error?.finding == .damaged)
  }

  /// The seal is of the bytes: a field that this program does not know changes nothing.
  @Test func aFieldOfALaterProgramIsNoDamage() throws {
    let state = RunState.example(iteration: 12)
    var text = String(decoding: state.json, as: UTF8.self)
    text = text.replacingOccurrences(
      of: "\"format_version\" : 2", with: "\"field_to_come\" : 0.10000, \"format_version\" : 2")
    #expect(message { _ = try RunState(json: Data(text.utf8), path: "x") }.contains("checksum"))
    let body = text.prefix(upTo: try #require(text.range(of: ",\n\"checksum\"")).lowerBound)
    #expect(
      try RunState(json: sealed(Data(body.utf8) + Data("}".utf8)), path: "x") == state)
  }

  @Test func aNewerVersionIsNamedAndNoDamage() throws {
    let text = String(decoding: RunState.example(iteration: 1).json, as: UTF8.self)
    let newer = text.replacingOccurrences(
      of: "\"format_version\" : 2", with: "\"format_version\" : 3")
    let error = #expect(throws: CheckpointError.self) {
      try RunState(json: Data(newer.utf8), path: "x")
    }
    #expect(
      error?.description
        == "x has format version 3, and this program reads up to 2: use a newer one")
    #expect(error?.finding == .unusable)
  }

  /// Whatever happens to the file: an error, or the same state.
  @Test func noDamageGoesUnnoticed() throws {
    let state = RunState.example(iteration: 12)
    let json = state.json
    var generator = SeededGenerator(seed: 4)
    var refused = 0
    for _ in 0..<2000 {
      var bytes = json
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 2: bytes.removeSubrange(place...)
        default: bytes.insert(UInt8.random(in: 32..<127, using: &generator), at: place)
        }
        if bytes.isEmpty { break }
      }
      do {
        #expect(try RunState(json: bytes, path: "x") == state)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 1500)
  }
}
