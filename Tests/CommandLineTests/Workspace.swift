import Foundation
import SafeTensors
import TestSupport

/// A directory to run `sltt-dist` in, as people run it.
struct Workspace {
  let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
  }

  /// With an image folder `images` of three digits and a configuration `small.yaml` for it, which trains
  /// in a moment: 3 iterations an epoch, 13 images to validate.
  static func withImages() throws -> Workspace {
    let workspace = try Workspace()
    try workspace.writeImages(to: "images")
    try workspace.directory.write(
      """
      model: {family: nf-resnet, blocks: [1, 1], width: 8, input_channels: 1}
      neuron: {threshold: 0.3}
      method: {timesteps: 2}
      training: {epochs: 2, global_batch: 10, log_every: 1}
      data: {path: images, image_size: 16}

      """, to: "small.yaml")
    return workspace
  }

  func writeImages(to name: String) throws {
    for (split, images) in [
      ("train", try DigitSubset("train", counts: [8, 8, 7])),
      ("val", try DigitSubset("val", counts: [5, 4, 4])),
    ] {
      try images.write(to: directory, split: "\(name)/\(split)")
    }
  }

  /// Recordings in the form of N-MNIST: two of each of two digits to train with, and as many to validate.
  func writeRecordings(to name: String) throws {
    for split in ["Train", "Test"] {
      for (digit, sample) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        // Events in the upper or the lower half.
        let events = (0..<60).flatMap { event -> [UInt8] in
          let (x, y) = ((event * 7 + sample) % 34, event * 5 % 17 + 17 * digit)
          return [UInt8(x), UInt8(y), UInt8(event % 2 * 128), UInt8(event), 0]
        }
        try directory.write(events, to: "\(name)/\(split)/\(digit)/\(sample).bin")
      }
    }
  }

  func file(_ name: String) -> String { directory.file(name) }

  func text(_ name: String) throws -> String {
    try String(contentsOfFile: file(name), encoding: .utf8)
  }

  /// Runs `sltt-dist` with these arguments.
  ///
  /// - Parameters:
  ///   - ranks: of an MPI job; without one if nil.
  ///   - usesOneThread: adds `--threads 1`, since so small networks would only wait for threads.
  func run(
    _ arguments: String..., ranks: Int? = nil, usesOneThread: Bool = true
  ) throws -> ProgramRun {
    try run(arguments, ranks: ranks, usesOneThread: usesOneThread)
  }

  func run(
    _ arguments: [String], ranks: Int? = nil, usesOneThread: Bool = true
  ) throws -> ProgramRun {
    let command =
      [try ProgramRun.path(ofProduct: "sltt-dist")] + arguments
      + (usesOneThread ? ["--threads", "1"] : [])
    guard let ranks else { return try ProgramRun(command, in: directory.path) }
    return try ProgramRun.onRanks(ranks, command, in: directory.path)
  }

  /// All tensors of a safetensors file.
  func tensors(_ name: String) throws -> [String: [Float]] {
    let file = try SafeTensorsFile(contentsOf: file(name))
    return Dictionary(uniqueKeysWithValues: try file.names.map { ($0, try file.floats($0)) })
  }
}

extension ProgramRun {
  /// The messages on the standard error that name a rank, without rank and host.
  var messages: [String] {
    errors.split(separator: "\n").filter { $0.hasPrefix("rank ") }.map { line in
      line.firstRange(of: ": ").map { String(line[$0.upperBound...]) } ?? ""
    }
  }

  /// The rest of the first line of the output that begins with this label, without spaces around it.
  func value(_ label: String) -> String? {
    output.split(separator: "\n").first { $0.hasPrefix(label) }
      .map { $0.dropFirst(label.count).trimmingCharacters(in: .whitespaces) }
  }
}

/// The largest difference between corresponding tensors, relative to the largest entry of each; infinite
/// where names or shapes differ.
func relativeDifference(_ a: [String: [Float]], _ b: [String: [Float]]) -> Float {
  guard a.keys == b.keys else { return .infinity }
  return b.reduce(0) { max($0, relativeDifference(a[$1.key]!, $1.value)) }
}
