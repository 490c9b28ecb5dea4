import Foundation
import Support

/// What a directory of shards holds: `index.json`.
///
/// Where every sample lies in its shard is part of it, so that a sample is one read.
public struct ShardIndex: SealedRecord, Sendable, Equatable {
  static let fileName = "index.json"
  static let format = "sltt-dist shards"
  public static let versionKey = "version"
  public static let currentVersion = 3
  public static let firstSealedVersion = 3

  /// What the file is, and the version of its layout.
  var format = ShardIndex.format
  var version = ShardIndex.currentVersion
  /// Class names; a label is a position in this list.
  public let classes: [String]
  /// The numbers by which the classes go in shards of another program; `nil`: their positions.
  let classNumbers: [Int]?
  /// How the shards were made; `nil` if another program made them.
  public let plan: ShardPlan?
  /// `train`, and `val` or `test` if there is one.
  public let splits: [String: Split]
  /// The shards of a split.
  public struct Split: Codable, Sendable, Equatable {
    /// In all shards.
    public let samples: Int
    /// In all shards.
    public let bytes: Int
    public let shards: [Shard]

    init(_ shards: [Shard]) {
      self.shards = shards
      samples = shards.reduce(0) { $0 + $1.samples }
      bytes = shards.reduce(0) { $0 + $1.bytes }
    }
  }

  /// One tar archive.
  public struct Shard: Codable, Sendable, Equatable {
    /// Its name in the directory.
    public let file: String
    public let samples: Int
    /// Of the file.
    public let bytes: Int
    /// Of the file: `xxh64:` and 16 hexadecimal digits.
    public let checksum: String
    /// Of every sample: the position of its image file in the shard, that file's bytes, its label.
    let offsets: [Int]
    let sizes: [Int]
    let labels: [Int]
    /// Samples that were to be in the shard and are not.
    public let skipped: [SkippedSample]
  }

  /// A sample that is in no shard.
  public struct SkippedSample: Codable, Sendable, Equatable {
    /// In the source.
    public let sample: String
    public let reason: String
  }

  /// Reads and checks the index of a directory.
  public init(directory: String) throws(DatasetError) {
    let path = directory + "/" + Self.fileName
    let manager = FileManager.default
    guard
      manager.fileExists(atPath: path)
        || !manager.fileExists(atPath: directory + "/" + ShardJournal.fileName)
    else {
      throw .badIndex(
        path: path,
        reason: "it is not there yet, because the making of the shards was broken off")
    }
    var bytes: [UInt8] = []
    try onFiles(readFile(path, into: &bytes))
    try self.init(json: bytes, path: path)
  }

  /// - Parameter path: for messages.
  init(json: [UInt8], path: String) throws(DatasetError) {
    do {
      self = try ShardIndex(document: Data(json))
    } catch {
      throw .badIndex(path: path, reason: error.description)
    }
    if let reason = firstFault { throw .badIndex(path: path, reason: reason) }
    version = Self.currentVersion
  }

  init(
    classes: [String], classNumbers: [Int]? = nil, plan: ShardPlan?, splits: [String: Split]
  ) {
    (self.classes, self.classNumbers) = (classes, classNumbers)
    (self.plan, self.splits) = (plan, splits)
  }

  func write(directory: String) throws(DatasetError) {
    try onFiles(writeFile(directory + "/" + Self.fileName, document()))
  }

  /// Version 2 has the checksum in front, and it is of the document without this field.
  public func isIntact(unsealed document: Data) -> Bool {
    let front = "{\"checksum\":\"\(Checksum.text(0))\","
    let rest = document.dropFirst(front.utf8.count)
    let hash = XXHash64.hash(Array("{".utf8) + rest)
    return document.starts(with: Data("{\"checksum\":\"\(Checksum.text(hash))\",".utf8))
  }

  /// What reading samples could stumble over.
  private var firstFault: String? {
    guard format == Self.format else { return "its format is '\(format)'" }
    guard !classes.isEmpty else { return "it has no classes" }
    guard classNumbers == nil || classNumbers?.count == classes.count else {
      return "it has other numbers of classes than classes"
    }
    for (name, split) in splits {
      guard !split.shards.isEmpty else { return "split '\(name)' has no shards" }
      var samples = 0
      for shard in split.shards {
        if let fault = shard.fault(classes: classes.count) { return "\(shard.file): \(fault)" }
        samples += shard.samples
      }
      guard samples == split.samples, samples > 0, samples <= Int32.max else {
        return "split '\(name)' has \(Format.counted(samples, "sample")) and says \(split.samples)"
      }
    }
    return nil
  }
}

extension ShardIndex.Shard {
  fileprivate func fault(classes: Int) -> String? {
    guard !file.isEmpty, !file.contains("/"), !file.hasPrefix(".") else {
      return "this is no file name"
    }
    guard [offsets.count, sizes.count, labels.count].allSatisfy({ $0 == samples }) else {
      return "offsets, sizes and labels are not \(samples) each"
    }
    for sample in 0..<samples {
      let (offset, size) = (offsets[sample], sizes[sample])
      guard size >= 0, offset >= 512, offset <= bytes, size <= bytes - offset else {
        return "sample \(sample) lies outside: offset \(offset), size \(size)"
      }
      guard 0 <= labels[sample], labels[sample] < classes else {
        return "sample \(sample) has the label \(labels[sample]) of \(classes) classes"
      }
    }
    return nil
  }
}

/// What determines the shards that are made of a data set.
public struct ShardPlan: Codable, Sendable, Equatable {
  /// Where the samples came from.
  public let source: String
  public let seed: UInt64
  /// The longest that the shorter side of an image may be; `nil`: images are as they were.
  public let resize: Int?
  /// By split.
  public let samples: [String: Int]
  /// By split.
  public let shards: [String: Int]
  /// A hash of the names of all samples and classes.
  let fingerprint: String

  /// What differs from another plan first; where the source lies does not matter.
  func difference(from other: ShardPlan) -> String? {
    func text(_ counts: [String: Int]) -> String {
      counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }
    if seed != other.seed { return "made with seed \(seed), not \(other.seed)" }
    if resize != other.resize {
      func text(_ size: Int?) -> String { size.map { "resized to \($0)" } ?? "not resized" }
      return "\(text(resize)), not \(text(other.resize))"
    }
    if samples != other.samples {
      return "made of other samples (\(text(samples)), now \(text(other.samples)))"
    }
    if shards != other.shards {
      return "in other numbers (\(text(shards)), now \(text(other.shards)))"
    }
    if fingerprint != other.fingerprint { return "made of samples or classes of other names" }
    return nil
  }
}
