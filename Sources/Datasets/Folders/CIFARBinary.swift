import Foundation
import Support

/// CIFAR-10 or CIFAR-100 in its published binary form: records of a label (CIFAR-100: a coarse and a
/// fine one, of which the fine one counts) and 32x32 pixels as a red, a green and a blue plane.
///
/// The files are looked for in the given directory and in the one that unpacking the download makes
/// in it. Their order is the order of the samples. A file may have fewer records than the published
/// one, or more, and `sizeNote` says so.
public struct CIFARBinary: ImageSource {
  /// Which of the two data sets.
  public enum Variant: Sendable, CaseIterable {
    case cifar10, cifar100
  }

  public let location: String
  public let classes: [String]
  public let labels: [Int32]
  public let sizeNote: String?
  public var encoding: ImageEncoding { .planes(width: 32, height: 32) }
  private let recordSize: Int
  private let files: [RandomAccessFile]
  /// The first sample of each file.
  private let starts: [Int]

  private static let pixelBytes = 3 * 32 * 32

  /// - Throws: `DatasetError`, which names the file and the offset where a file is damaged.
  public init(_ variant: Variant, path: String, splits: [String]) throws(DatasetError) {
    guard let directory = Self.directory(of: variant, at: path) else {
      throw .incompleteCIFAR(path: path, missing: variant.classFile, archive: variant.archive)
    }
    guard let part = splits.lazy.compactMap({ StandardSplit(name: $0) }).first else {
      throw .missingSplit(path: directory, splits: splits, available: ["train", "test"])
    }
    location = directory + ":" + (part == .training ? "train" : "test")
    let names = variant.files(part)
    if let missing = ([variant.classFile] + names).first(where: {
      !FileManager.default.fileExists(atPath: directory + "/" + $0)
    }) {
      throw .incompleteCIFAR(path: directory, missing: missing, archive: variant.archive)
    }
    let classes = try classNames(in: directory + "/" + variant.classFile)
    recordSize = variant.labelBytes + Self.pixelBytes

    var files: [RandomAccessFile] = []
    var labels: [Int32] = []
    var starts: [Int] = []
    var otherSizes: [String] = []
    for name in names {
      let file = try onFiles(RandomAccessFile(path: directory + "/" + name))
      starts.append(labels.count)
      labels += try Self.readLabels(
        file, recordSize: recordSize, position: variant.labelBytes - 1, classCount: classes.count)
      files.append(file)
      let count = labels.count - starts[starts.count - 1]
      if count != variant.records(part) { otherSizes.append("\(name) has \(count)") }
    }
    sizeNote =
      otherSizes.isEmpty
      ? nil
      : "\(otherSizes.joined(separator: ", ")) of the \(variant.records(part)) records that a"
        + " published file has"
    self.classes = classes
    self.labels = labels
    self.files = files
    self.starts = starts
  }

  /// Where the files of a variant are, of which some may be missing: one of records alone may be
  /// another program's.
  static func directory(of variant: Variant, at path: String) -> String? {
    [path, path + "/" + variant.directory].first { directory in
      func hasFile(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: directory + "/" + name)
      }
      let files = variant.files(.training) + variant.files(.validation)
      return hasFile(variant.classFile) || files.count(where: hasFile) > 1
    }
  }

  public func name(of index: Int) -> String {
    let file = fileNumber(of: index)
    return "\(files[file].path), record \(index - starts[file])"
  }

  public func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {
    let file = fileNumber(of: index)
    let end = (index - starts[file] + 1) * recordSize
    try onFiles(files[file].read(end - Self.pixelBytes..<end, into: &bytes))
  }

  /// Records have no names: their labels tell the files apart.
  public var listingHash: UInt64 { 0 }

  private func fileNumber(of index: Int) -> Int { starts.lastIndex { $0 <= index }! }

  private static func readLabels(
    _ file: RandomAccessFile, recordSize: Int, position: Int, classCount: Int
  ) throws(DatasetError) -> [Int32] {
    let count = file.size / recordSize
    guard count > 0, file.size % recordSize == 0 else {
      throw .damaged(
        path: file.path, offset: count * recordSize,
        reason: "the file ends within a record: its \(file.size) bytes are not a number of records"
          + " of \(recordSize) bytes")
    }
    var labels: [Int32] = []
    labels.reserveCapacity(count)
    try onFiles(
      file.forEachPart(of: 1000 * recordSize) { part in
        for record in stride(from: position, to: part.count, by: recordSize) {
          labels.append(Int32(part[record]))
        }
      })
    if let bad = labels.firstIndex(where: { $0 >= classCount }) {
      throw .damaged(
        path: file.path, offset: bad * recordSize + position,
        reason: "the label \(labels[bad]) is not below the number of classes, \(classCount)")
    }
    return labels
  }
}

extension CIFARBinary.Variant {
  /// That unpacking the download makes.
  var directory: String {
    switch self {
    case .cifar10: "cifar-10-batches-bin"
    case .cifar100: "cifar-100-binary"
    }
  }

  fileprivate var archive: String {
    switch self {
    case .cifar10: "cifar-10-binary.tar.gz"
    case .cifar100: "cifar-100-binary.tar.gz"
    }
  }

  fileprivate var classFile: String {
    switch self {
    case .cifar10: "batches.meta.txt"
    case .cifar100: "fine_label_names.txt"
    }
  }

  /// The last of them is the label.
  fileprivate var labelBytes: Int {
    switch self {
    case .cifar10: 1
    case .cifar100: 2
    }
  }

  /// In each published file of a split.
  fileprivate func records(_ split: StandardSplit) -> Int {
    switch (self, split) {
    case (.cifar100, .training): 50_000
    case (.cifar10, _), (.cifar100, .validation): 10_000
    }
  }

  fileprivate func files(_ split: StandardSplit) -> [String] {
    switch (self, split) {
    case (.cifar10, .training): (1...5).map { "data_batch_\($0).bin" }
    case (.cifar10, .validation): ["test_batch.bin"]
    case (.cifar100, .training): ["train.bin"]
    case (.cifar100, .validation): ["test.bin"]
    }
  }
}
