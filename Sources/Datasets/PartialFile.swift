import Foundation

/// A file being written that appears under its name when it is complete, and then survives a crash of
/// the machine. Until then it lies beside that name, which another process can tell from it.
final class PartialFile: Sendable {
  let path: String
  /// For writing in order; `write` does not move its position.
  let descriptor: Int32
  private let temporary: String

  private static let ending = ".partial"

  init(path: String) throws(DatasetError) {
    self.path = path
    temporary = "\(path).\(UUID().uuidString)\(Self.ending)"
    descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .unwritable(path: temporary, reason: errorText()) }
  }

  deinit {
    close(descriptor)
    unlink(temporary)
  }

  /// The name that a file is to get which is being written, or was when its process was killed; `nil` for
  /// other names.
  static func name(ofUnfinished name: String) -> String? {
    // Earlier versions gave them no ending.
    let identified = name.hasSuffix(ending) ? name.dropLast(ending.count) : name[...]
    guard let point = identified.lastIndex(of: "."),
      UUID(uuidString: String(identified[identified.index(after: point)...])) != nil
    else { return nil }
    return String(identified[..<point])
  }

  /// In bytes, so far.
  var size: Int { fileSize(temporary) }

  /// Writes bytes at a place. Safe to call from several threads at once.
  func write(_ bytes: [UInt8], at position: Int) throws(DatasetError) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        pwrite(
          descriptor, buffer.baseAddress! + written, buffer.count - written, position + written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw .unwritable(path: temporary, reason: errorText()) }
      written += count
    }
  }

  /// Puts the complete file in its place.
  ///
  /// - Parameter progress: is called as its content gets to the disk, which may take minutes.
  func finish(progress: () -> Void) throws(DatasetError) {
    let part = 1 << 26
    for start in stride(from: 0, to: size, by: part) {
      // Only for the signs of progress: whether all is well, `fsync` says.
      let memory = mmap(nil, part, PROT_READ, MAP_SHARED, descriptor, off_t(start))
      if let memory, memory != MAP_FAILED {
        msync(memory, part, MS_SYNC)
        munmap(memory, part)
      }
      progress()
    }
    guard fsync(descriptor) == 0, rename(temporary, path) == 0 else {
      throw .unwritable(path: path, reason: errorText())
    }
  }
}
