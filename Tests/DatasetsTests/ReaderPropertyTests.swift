import Foundation
import Support
import TestSupport
import Testing

@testable import Datasets

/// Random small trees give the same samples as a directory, as tars of several kinds, and as shards.
struct ReaderPropertyTests {
  private static let images = ["1-bit.png", "palette-2-bit.png", "gray.png", "gray.jpg"]
  private static let directoryNames = [
    "a", "a b", "a-b", "é's", "TRAIN", "train", ".hidden", "x.png",
  ]
  private static let fileNames = [
    "1.png", "10.PNG", "2.jpg", "x.y.JPEG", ".png", ".x.png", "._1.png", "notes.txt", "x.webp",
    "png",
    "x.", "é.png", "e\u{301}.png", "-.jpg", "#1 %s*.png",
  ]

  /// A tree on the disk that grows at random.
  private struct Tree {
    let path: String
    var random: SeededGenerator
    /// All files and directories, by their paths below the root.
    var files: [String] = []
    var directories: [String] = []

    mutating func pick<Element>(_ list: [Element]) -> Element {
      list[Int.random(in: 0..<list.count, using: &random)]
    }

    mutating func chance(_ percent: Int) -> Bool {
      Int.random(in: 0..<100, using: &random) < percent
    }

    mutating func grow() throws {
      for split in ["train", "val"] {
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          try addDirectory(split + "/" + pick(directoryNames))
        }
      }
      try addDirectory("pool")
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        try addDirectory(pick(directories) + "/" + pick(directoryNames))
      }
      for directory in directories {
        // So that few classes are empty, which is an error.
        try? addFile(directory + "/" + (chance(90) ? "0.png" : pick(fileNames)))
        for _ in 0..<Int.random(in: 0...4, using: &random) {
          try? addFile(directory + "/" + pick(fileNames))
        }
      }
      for _ in 0..<Int.random(in: 0...8, using: &random) { try? addLink() }
    }

    private mutating func addDirectory(_ name: String) throws {
      guard !directories.contains(name) else { return }
      try FileManager.default.createDirectory(
        atPath: path + "/" + name, withIntermediateDirectories: true)
      directories.append(name)
    }

    mutating func addFile(_ name: String) throws {
      try Data(Fixture.bytes(pick(images))).write(
        to: URL(fileURLWithPath: path + "/" + name))
      files.append(name)
    }

    private mutating func addLink() throws {
      let name = pick(directories) + "/l" + pick(fileNames)
      let up = String(repeating: "../", count: name.split(separator: "/").count - 1)
      let manager = FileManager.default
      switch Int.random(in: 0..<7, using: &random) {
      case 0:
        try manager.linkItem(atPath: path + "/" + pick(files), toPath: path + "/" + name)
      case 1, 2: try symbolicLink(name, to: up + pick(files))
      case 3: try symbolicLink(name, to: up + pick(directories))
      case 4: try symbolicLink(name, to: pick(["nothing.png", "/nothing.png", name]))
      case 5: try symbolicLink(name, to: up + "../../outside.png")
      default:
        try symbolicLink(
          name, to: pick([".", "..", String(name.split(separator: "/").last!)]))
      }
      files.append(name)
    }

    private func symbolicLink(_ name: String, to target: String) throws {
      try FileManager.default.createSymbolicLink(
        atPath: path + "/" + name, withDestinationPath: target)
    }
  }

  private func tar(_ arguments: String...) throws {
    let run = try ProgramRun(["tar"] + arguments)
    try #require(run.status == 0, "\(run.errors)")
  }

  /// What a data set gives, or the error without its place.
  private func content(_ path: String, _ split: String) -> [String] {
    do {
      let source = try ImageDataset.open(path: path, split: split)
      let samples = try (0..<source.count).map { index in
        let name = source.name(of: index).dropFirst(source.location.count)
        return "\(source.labels[index]) \(name) \(XXHash64.hash(try source.bytes(of: index)))"
      }
      return source.classes + ["\(source.passedOver.count)", "\(source.fingerprint)"] + samples
    } catch {
      // Without what is named beside, since links out of an archive lead nowhere in the file system.
      let text = "\(error)".prefix { $0 != "," }
      return [
        text.replacingOccurrences(of: path + "/" + split, with: "SPLIT")
          .replacingOccurrences(of: path + ":" + split, with: "SPLIT")
      ]
    }
  }

  @Test(arguments: 0..<40) func allReadersAgree(seed: Int) throws {
    let directory = try TemporaryDirectory()
    var tree = Tree(path: directory.file("tree"), random: SeededGenerator(seed: UInt64(seed)))
    try tree.grow()
    let format = ["gnu", "pax", "ustar"][seed % 3]
    let names = seed % 2 == 0 ? ["."] : ["train", "val", "pool"]
    let archive = directory.file("data.tar")
    // A first version of a file, and links to files before the files themselves.
    let changed = tree.path + "/train/changed.png"
    try Data("old".utf8).write(to: URL(fileURLWithPath: changed))
    let pack = ["tar", "--format", format, "-C", tree.path]
    try #require(ProgramRun(pack + ["-cf", archive] + names.reversed()).status == 0)
    try Data("new".utf8).write(to: URL(fileURLWithPath: changed))
    try #require(ProgramRun(pack + ["-rf", archive, "train/changed.png"]).status == 0)
    try tar("-czf", directory.file("data.tgz"), "-C", tree.path, ".")

    for split in ["train", "val"] {
      let folder = content(tree.path, split)
      #expect(content(archive, split) == folder, "\(split) as \(format)")
      #expect(content(directory.file("data.tgz"), split) == folder, "\(split), compressed")
    }
    try expectSameShards(of: tree.path, archive, in: directory)
  }

  private func expectSameShards(
    of tree: String, _ archive: String, in directory: TemporaryDirectory
  ) throws {
    var indices: [ShardIndex] = []
    for (number, source) in [tree, archive].enumerated() {
      guard
        let writer = try? ShardWriter(
          source: source, output: directory.file("shards\(number)"), division: .count(2),
          resize: nil, seed: 1, workers: 1)
      else { continue }
      indices.append(try writer.run { _ in })
    }
    guard indices.count == 2 else {
      #expect(indices.isEmpty)
      return
    }
    #expect(indices[0].classes == indices[1].classes && indices[0].splits == indices[1].splits)
    let folder = try ImageDataset.open(path: tree, split: "train")
    let shards = try ShardSource(path: directory.file("shards0"), splits: ["train"])
    #expect(shards.count == folder.count && shards.classes == folder.classes)
    for sample in 0..<shards.count {
      let original = try sourceIndex(shards, sample)
      #expect(shards.labels[sample] == folder.labels[original])
      #expect(try shards.bytes(of: sample) == folder.bytes(of: original))
    }
  }
}
