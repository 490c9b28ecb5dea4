import Foundation
import Support

/// What tells one state of an archive from another without reading all of it.
struct ArchiveState {
  /// The same for copies: of the size, and of the first and last bytes, since programs that make archives
  /// anew may set the same time.
  let content: UInt64
  /// Also of the time of the last change.
  let hash: UInt64

  init(of archive: String) throws(DatasetError) {
    let time = try onFiles(FileStatus(of: RawPath(archive)).status.st_mtim)
    content = try Self.content(of: onFiles(RandomAccessFile(path: archive)))
    var hash = XXHash64()
    hash.update(name: "\(content) \(time.tv_sec).\(time.tv_nsec)")
    self.hash = hash.value
  }

  static func content(of file: RandomAccessFile) throws(DatasetError) -> UInt64 {
    var hash = XXHash64()
    hash.update(name: "\(file.size)")
    var bytes: [UInt8] = []
    let end = 1 << 16
    for range in [0..<min(end, file.size), max(0, file.size - end)..<file.size] {
      try onFiles(file.read(range, into: &bytes))
      bytes.withUnsafeBytes { hash.update($0) }
    }
    return hash.value
  }
}

extension DerivedFile {
  /// A file that is made of an archive.
  ///
  /// - Parameters:
  ///   - state: of what it is made of.
  ///   - directories: where it may be; by default beside the archive, or in the user's directory for
  ///     caches.
  init(
    of archive: String, state: ArchiveState, ending: String, content: String,
    directories: [String]?
  ) {
    let url = URL(fileURLWithPath: archive)
    self.init(
      url.lastPathComponent, state: state.hash, ending: ending, content: content,
      directories: directories ?? Self.directories(beside: url.deletingLastPathComponent().path))
  }
}
