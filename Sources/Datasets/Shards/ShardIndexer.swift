import Foundation
import Support

/// Makes the index of a directory of shards that another program made, in the layout of WebDataset:
/// the shards stay as they are.
///
/// A shard belongs to the split whose name is a word of its file's name. A label is a line of
/// `classes.txt`, by its number from 0 or its text; without that file, every number among the labels is
/// a class.
public struct ShardIndexer {
  /// What was found.
  public struct Report: Sendable {
    public let index: ShardIndex
    /// The file with the names of the classes; `nil`: they are named by their numbers.
    public let classFile: String?
    /// Members of shards that are neither images nor labels.
    public let passedOver: PassedOver
  }

  private let directory: String
  private let shards: [(file: String, split: String)]

  /// - Throws: `DatasetError` if there are no shards, or if their index is one of a `ShardWriter`.
  public init(directory: String) throws(DatasetError) {
    self.directory = directory
    let names = try onFiles(directoryEntries(directory)).sortedByBytes()
    if names.contains(ShardJournal.fileName) {
      throw .otherShards(path: directory, reason: "the making of its shards was broken off")
    }
    if names.contains(ShardIndex.fileName), try ShardIndex(directory: directory).plan != nil {
      throw .otherShards(
        path: directory, reason: "they have an index, of the program that made them")
    }
    var shards: [(file: String, split: String)] = []
    for file in names where !file.hasPrefix(".") && file.hasSuffix(".tar") {
      guard let split = Self.split(of: file) else {
        throw .unusableShard(
          path: directory + "/" + file,
          reason:
            "its name does not say which split it belongs to: let it begin with train- or val-")
      }
      shards.append((file, split))
    }
    guard !shards.isEmpty else {
      throw .unusableShard(path: directory, reason: "there is no file whose name ends in .tar")
    }
    self.shards = shards
  }

  /// The split that a word of a shard's name says.
  private static func split(of file: String) -> String? {
    let words = file.lowercased().split { !$0.isLetter }
    return words.lazy.compactMap { word in
      switch word {
      case "train", "training": "train"
      case "val", "valid", "validation": "val"
      case "test": "test"
      default: nil
      }
    }.first
  }

  /// Reads all shards and writes their index.
  ///
  /// - Parameter progress: is called after each shard with the numbers of shards read and of all.
  public func run(progress: (_ shards: Int, _ all: Int) -> Void) throws(DatasetError) -> Report {
    var passedOver = PassedOver()
    var scans: [ShardScan] = []
    var files: [(bytes: Int, text: String)] = []
    for (number, shard) in shards.enumerated() {
      let path = directory + "/" + shard.file
      let scan = try ShardScan(path: path)
      passedOver.add(scan.passedOver)
      scans.append(scan)
      files.append(try onFiles(Checksum.ofFile(path)))
      progress(number + 1, shards.count)
    }
    let labels = Set(scans.flatMap { $0.samples.map(\.label) })
    let classes = try ShardClasses(directory: directory, labels: labels)
    var splits: [String: [ShardIndex.Shard]] = [:]
    for (number, shard) in shards.enumerated() {
      splits[shard.split, default: []].append(
        try ShardIndex.Shard(
          file: shard.file, bytes: files[number].bytes, checksum: files[number].text,
          scan: scans[number], classes: classes, path: directory + "/" + shard.file))
    }
    let index = ShardIndex(
      classes: classes.names, classNumbers: classes.numbers, plan: nil,
      splits: splits.mapValues { ShardIndex.Split($0) })
    if let empty = index.splits.filter({ $0.value.samples == 0 }).keys.min() {
      throw .unusableShard(
        path: directory, reason: "the shards of the split '\(empty)' have no samples")
    }
    try index.write(directory: directory)
    return Report(index: index, classFile: classes.file, passedOver: passedOver)
  }
}

extension ShardIndex.Shard {
  /// - Parameter path: for messages.
  init(
    file: String, bytes: Int, checksum: String, scan: ShardScan, classes: ShardClasses, path: String
  ) throws(DatasetError) {
    var labels: [Int] = []
    for sample in scan.samples {
      guard let position = classes.position(of: sample.label) else {
        throw .unusableShard(
          path: path,
          reason: "'\(sample.key)' has the label \(sample.label), which is none of the"
            + " \(classes.names.count) classes")
      }
      labels.append(position)
    }
    self.init(
      file: file, samples: scan.samples.count, bytes: bytes, checksum: checksum,
      offsets: scan.samples.map(\.place.lowerBound), sizes: scan.samples.map(\.place.count),
      labels: labels, skipped: [])
  }
}
