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

  /// The encoded image of a sample.
  public func bytes(of index: Int) throws(DatasetError) -> [UInt8] {
    var bytes: [UInt8] = []
    try read(index, into: &bytes)
    return bytes
  }
}

/// Opens data sets of images.
public enum ImageDataset {
  /// Opens one split.
  ///
  /// - Parameters:
  ///   - format: `nil` to tell it by the files.
  ///   - listing: who lists an image folder. Of an archive, every process holds all images in memory.
  public static func open(
    path: String, split: String, format: ImageFormat? = nil, listing: FolderListing.Method = .alone
  ) throws -> any ImageSource {
    switch try format ?? ImageFormat(detecting: path) {
    case .imageFolder: try ImageFolder(path: path, split: split, listing: listing)
    case .archive: try ImageArchive(path: path, split: split)
    case .shards: try ShardSource(path: path, split: split)
    case .cifar10: try CIFARBinary(.cifar10, path: path, split: split)
    case .cifar100: try CIFARBinary(.cifar100, path: path, split: split)
    }
  }
}

/// Whether a file is listed as an image: by its ending, in any case, and not hidden.
func isImageFileName(_ name: some StringProtocol) -> Bool {
  guard !name.hasPrefix("."), let dot = name.lastIndex(of: ".") else { return false }
  return ["jpg", "jpeg", "png"].contains(name[name.index(after: dot)...].lowercased())
}

extension Sequence where Element: StringProtocol {
  /// Sorted by UTF-8 bytes, which is the order of Python's `sorted`.
  func sortedByBytes() -> [Element] {
    sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
