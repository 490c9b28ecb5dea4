import Foundation

/// Encoded images with labels, in a fixed order.
public protocol ImageSource: SampleSource {
  /// How `read` gives the images.
  var encoding: ImageEncoding { get }
  /// Replaces `bytes` by the encoded image. Safe to call from several threads at once.
  func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError)
  /// The samples, the given one among them, of which one may take its place if it cannot be read.
  func substitutes(for index: Int) -> Range<Int>
}

/// How the bytes of a sample hold its image.
public enum ImageEncoding: Sendable, Equatable {
  /// A JPEG or PNG file; which of them, the content tells.
  case file
  /// 8-bit samples without a header: the red, the green and the blue plane, each row by row.
  case planes(width: Int, height: Int)
}

extension ImageSource {
  public var encoding: ImageEncoding { .file }

  public func substitutes(for index: Int) -> Range<Int> { 0..<count }

  /// What people should know of the split, also where it is if the search for it went deeper than the
  /// data set's own directory.
  ///
  /// - Parameters:
  ///   - path: of the data set.
  ///   - splits: of which the first that was there counted.
  public func notes(in path: String, splits: [String]) -> [SplitNote] {
    [depthNote(in: path, splits: splits)].compactMap { $0 } + notes
  }

  private func depthNote(in path: String, splits: [String]) -> SplitNote? {
    let rest = location.dropFirst(path.count + 1)
    let place = rest.isEmpty ? "." : rest
    guard !splits.contains(where: { $0 == place || location.hasSuffix(":" + $0) }) else {
      return nil
    }
    // Not so called, it is the directory of the classes.
    let split = splits.first { place.hasSuffix("/" + $0) } ?? splits[0]
    return SplitNote(
      title: "found",
      text: place == "."
        ? "the classes in \(path) itself, as there is no '\(split)'"
        : "\(location), as there is no '\(split)' in \(path) itself")
  }

  /// The encoded image of a sample.
  public func bytes(of index: Int) throws(DatasetError) -> [UInt8] {
    var bytes: [UInt8] = []
    try read(index, into: &bytes)
    return bytes
  }
}

/// Opens data sets of images.
public enum ImageDataset {
  /// Where training samples are looked for when nobody says where they are, in this order.
  public static let trainingSplits = withCapitals(["train", "training"])

  /// The same of validation samples.
  public static let validationSplits = withCapitals([
    "val", "valid", "validation", "test", "testing",
  ])

  private static func withCapitals(_ names: [String]) -> [String] {
    names + names.map(\.capitalized)
  }

  /// Opens the first of some splits that is there.
  ///
  /// - Parameters:
  ///   - format: `nil` to tell it by the files.
  ///   - listing: who lists an image folder, and is told how that gets on.
  public static func open(
    path: String, splits: [String], format: ImageFormat? = nil,
    listing: FolderListing.Method = .alone
  ) throws -> any ImageSource {
    switch try format ?? ImageFormat(detecting: path, splits: splits) {
    case .imageFolder: try ImageFolder(path: path, splits: splits, listing: listing)
    case .archive: try ImageArchive(path: path, splits: splits, listing: listing)
    case .shards: try ShardSource(path: path, splits: splits)
    case .cifar10: try CIFARBinary(.cifar10, path: path, splits: splits)
    case .cifar100: try CIFARBinary(.cifar100, path: path, splits: splits)
    }
  }

  /// Opens one split.
  public static func open(
    path: String, split: String, listing: FolderListing.Method = .alone
  ) throws -> any ImageSource {
    try open(path: path, splits: [split], listing: listing)
  }
}

extension Sequence where Element: StringProtocol {
  /// Sorted by UTF-8 bytes, which is the order of Python's `sorted`.
  func sortedByBytes() -> [Element] {
    sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
