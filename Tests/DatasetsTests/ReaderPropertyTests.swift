import Foundation
import Support
import TestSupport
import Testing

@testable import Datasets

/// Random small trees give the same samples as a directory, as tars of several kinds, and as shards.
struct ReaderPropertyTests {
  private static let seeds = 0..<40
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
      // Shards want the same classes in both splits.
      let isAlike = chance(70)
      for split in ["train", "val"] {
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          let name = pick(directoryNames)
          for split in isAlike ? ["train", "val"] : [split] { try addDirectory(split + "/" + name) }
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

  /// What a data set gives, or why it cannot be opened.
  private enum Content: Equatable {
    case samples([String])
    case problem(String)
  }

  private func grownTree(in directory: TemporaryDirectory, seed: Int) throws -> Tree {
    var tree = Tree(path: directory.file("tree"), random: SeededGenerator(seed: UInt64(seed)))
    try tree.grow()
    return tree
  }

  private func content(_ path: String, _ split: String) throws -> Content {
    let source: any ImageSource
    do {
      source = try ImageDataset.open(path: path, split: split)
    } catch let error as DatasetError {
      return .problem(text(of: error, in: path))
    }
    let samples = try (0..<source.count).map { index in
      let name = source.name(of: index).dropFirst(source.location.count)
      return "\(source.labels[index]) \(name) \(XXHash64.hash(try source.bytes(of: index)))"
    }
    return .samples(
      source.classes + ["\(source.passedOver.count)", "\(source.fingerprint)"] + samples)
  }

  /// An error without its place, and without what is named beside, since links out of an archive
  /// lead nowhere in the file system.
  private func text(of error: DatasetError, in path: String) -> String {
    "\(error)".prefix { $0 != "," }
      .replacingOccurrences(of: path + ":", with: "SOURCE/")
      .replacingOccurrences(of: path + "/", with: "SOURCE/")
  }

  /// Makes shards of a data set, or says why there can be none.
  private func shardWriter(
    of path: String, to output: String
  ) throws -> (writer: ShardWriter?, problem: String?) {
    do {
      let writer = try ShardWriter(
        source: path, output: output, division: .count(2), resize: nil, seed: 1, workers: 1)
      return (writer, nil)
    } catch let error as DatasetError {
      return (nil, text(of: error, in: path))
    }
  }

  @Test(arguments: seeds) func allReadersAgree(seed: Int) throws {
    let directory = try TemporaryDirectory()
    let tree = try grownTree(in: directory, seed: seed)
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
      let folder = try content(tree.path, split)
      #expect(try content(archive, split) == folder, "\(split) as \(format)")
      #expect(try content(directory.file("data.tgz"), split) == folder, "\(split), compressed")
    }
    try expectSameShards(of: tree.path, archive, in: directory)
  }

  /// Without which the test above would compare errors only.
  @Test func mostTreesOpenAndGiveShards() throws {
    var (splits, shards) = (0, 0)
    for seed in Self.seeds {
      let directory = try TemporaryDirectory()
      let tree = try grownTree(in: directory, seed: seed)
      for split in ["train", "val"] {
        if case .samples = try content(tree.path, split) { splits += 1 }
      }
      if try shardWriter(of: tree.path, to: directory.file("shards")).writer != nil { shards += 1 }
    }
    #expect(splits >= 60 && shards >= 20)
  }

  private func expectSameShards(
    of tree: String, _ archive: String, in directory: TemporaryDirectory
  ) throws {
    let fromFolder = try shardWriter(of: tree, to: directory.file("shards0"))
    let fromArchive = try shardWriter(of: archive, to: directory.file("shards1"))
    #expect(fromFolder.problem == fromArchive.problem)
    guard let first = fromFolder.writer, let second = fromArchive.writer else { return }
    let indices = try [first, second].map { try $0.run { _ in } }
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
