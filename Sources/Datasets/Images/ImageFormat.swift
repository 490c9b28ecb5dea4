import Foundation

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

  /// The format of what is at `path`, by the files that only one of them has.
  public init(detecting path: String) throws(DatasetError) {
    guard try FileKind(path: path) == .directory else {
      var start: [UInt8] = []
      let file = try RandomAccessFile(path: path)
      try file.read(0..<min(4, file.size), into: &start)
      guard start != Array("PK\u{3}\u{4}".utf8) else {
        throw .otherForm(path: path, .zip)
      }
      self = .archive
      return
    }
    if FileManager.default.fileExists(atPath: path + "/" + ShardIndex.fileName) {
      self = .shards
    } else if FileManager.default.fileExists(atPath: path + "/" + ShardJournal.fileName) {
      throw .badIndex(
        path: path + "/" + ShardIndex.fileName,
        reason: "it is not there yet, because the making of the shards was broken off")
    } else if CIFARBinary.directory(of: .cifar10, at: path) != nil {
      self = .cifar10
    } else if CIFARBinary.directory(of: .cifar100, at: path) != nil {
      self = .cifar100
    } else {
      self = .imageFolder
    }
  }
}
