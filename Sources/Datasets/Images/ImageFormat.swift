import Foundation
import Support

/// A form in which files hold the images of a data set.
public enum ImageFormat: String, Sendable, CaseIterable {
  /// `<split>/<class>/**/<image>` in a directory.
  case imageFolder = "image-folder"
  /// The same in a tar archive, of any compression.
  case archive
  /// What `ShardWriter` makes: tar archives with an `index.json`.
  case shards
  /// The published binary files.
  case cifar10, cifar100

  /// The format of what is at `path`.
  ///
  /// - Parameter splits: as `found`.
  /// - Throws: `DatasetError.ambiguousFormat` where files of several lie side by side.
  public init(detecting path: String, splits: [String]) throws(DatasetError) {
    let found = try Self.found(at: path, splits: splits)
    guard found.count == 1 else {
      throw .ambiguousFormat(path: path, formats: found.map(\.rawValue))
    }
    self = found[0]
  }

  /// The formats of images that lie beside recordings of events, among whose directories some may be called
  /// as a split of images.
  public static func foundBesideEvents(
    at path: String, splits: [String]
  ) throws(DatasetError) -> [ImageFormat] {
    try found(at: path, splits: splits).filter {
      $0 != .imageFolder || splits.contains { holdsImages(path + "/" + $0) }
    }
  }

  /// Whether there is an image in the first directories, at most as many levels deep as recordings lie.
  private static func holdsImages(_ path: String) -> Bool {
    var directory = path
    for _ in 0...3 {
      let names = ((try? directoryEntries(directory)) ?? []).filter { !$0.hasPrefix(".") }
      if names.contains(where: { isImageFileName($0.utf8) }) { return true }
      let inner = names.sortedByBytes().first {
        (try? FileKind(path: directory + "/" + $0)) == .directory
      }
      guard let inner else { return false }
      directory += "/" + inner
    }
    return false
  }

  /// The formats of what is at `path`, by the files that only one of them has.
  ///
  /// - Parameter splits: directories that make it an image folder, also beside files of other formats.
  public static func found(
    at path: String, splits: [String]
  ) throws(DatasetError) -> [ImageFormat] {
    guard try onFiles(FileKind(path: path)) == .directory else {
      var start: [UInt8] = []
      let file = try onFiles(RandomAccessFile(path: path))
      try onFiles(file.read(0..<min(4, file.size), into: &start))
      guard start != Array("PK\u{3}\u{4}".utf8) else {
        throw .otherForm(path: path, .zip)
      }
      return [.archive]
    }
    var found: [ImageFormat] = []
    if [ShardIndex.fileName, ShardJournal.fileName].contains(where: {
      FileManager.default.fileExists(atPath: path + "/" + $0)
    }) {
      found.append(.shards)
    }
    if CIFARBinary.directory(of: .cifar10, at: path) != nil { found.append(.cifar10) }
    if CIFARBinary.directory(of: .cifar100, at: path) != nil { found.append(.cifar100) }
    let hasSplit = splits.contains { (try? FileKind(path: path + "/" + $0)) == .directory }
    if found.isEmpty || hasSplit { found.append(.imageFolder) }
    return found
  }
}
