/// Encoded images with labels, in a fixed order: by class (sorted by the names' bytes), then by file
/// name.
public protocol ImageSource: SampleSource {
  /// Replaces `bytes` by the encoded image. Safe to call from several threads at once.
  func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError)
}

extension ImageSource {
  /// The encoded image of a sample.
  public func bytes(of index: Int) throws(DatasetError) -> [UInt8] {
    var bytes: [UInt8] = []
    try read(index, into: &bytes)
    return bytes
  }
}

/// Opens data sets in ImageNet layout, `<split>/<class>/<image>.{JPEG,jpg,jpeg,png}`.
public enum ImageDataset {
  /// Opens one split of a directory, or of a tar archive (any compression that libarchive reads),
  /// whose images are then held in memory.
  public static func open(path: String, split: String) throws(DatasetError) -> any ImageSource {
    switch try FileKind(path: path) {
    case .directory: try ImageFolder(path: path, split: split)
    case .file: try ImageArchive(path: path, split: split)
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
