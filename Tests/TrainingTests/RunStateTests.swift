import Foundation
import TestSupport
import Testing

@testable import Training

struct RunStateTests {
  @Test func readsWhatItWrites() throws {
    var state = RunState.example(iteration: 12)
    state.position.bestAccuracy = 0.1 + 0.2
    state.position.epochMetrics.loss = 1.0 / 3
    // The names stay as they are, unlike those of keys.
    state.position.inputDensities = ["layer1.0.convA_b": 0.1, "conv1": 1.0 / 3]
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

  @Test func whatEarlierVersionsDidNotRecordMayBeAbsent() throws {
    let state = RunState.example(iteration: 12)
    let text = String(decoding: state.json, as: UTF8.self)
    #expect(!text.contains("\"input"))
    #expect(try RunState(json: state.json, path: "x").position.inputDensities == nil)
  }

  @Test func aNewerVersionIsNamed() throws {
    let text = String(decoding: RunState.example(iteration: 1).json, as: UTF8.self)
    let newer = text.replacingOccurrences(
      of: "\"format_version\" : 1", with: "\"format_version\" : 2")
    #expect(
      message { _ = try RunState(json: Data(newer.utf8), path: "x") }
        == "x has format version 2, and this program reads up to 1: use a newer one")
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
        #expect(error is CheckpointError)
        refused += 1
      }
    }
    #expect(refused > 1500)
  }
}
