import Foundation

/// A file being written that appears under its name when it is complete, and then survives a crash of
/// the machine. Until then it lies beside that name, which another process can tell from it.
///
/// One thread at a time appends to it and finishes it; several may write at places meanwhile.
public final class PartialFile: @unchecked Sendable {
  public let path: String
  /// For writing in order; `write(_:at:)` does not move its position.
  public let descriptor: Int32
  private let temporary: String
  /// Bytes that were appended since the last sync.
  private var unsynced = 0
  /// Whether the temporary name is no longer this file's, but perhaps that of the next one.
  private var isInPlace = false

  private static let ending = ".partial"
  /// So many bytes are synced at a time, so that neither the end takes long nor memory fills with what
  /// waits for a slow disk.
  private static let syncedAtOnce = 1 << 26

  /// - Parameter isShared: whether several processes may write a file of this name at a time. The last one
  ///   to finish wins. Else what a process left that was killed is written over.
  public init(path: String, isShared: Bool = false) throws(FileError) {
    self.path = path
    temporary = path + (isShared ? ".\(UUID().uuidString)" : "") + Self.ending
    descriptor = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      let (code, reason) = (errno, systemReason())
      let directory = (path as NSString).deletingLastPathComponent
      guard code != ENOENT, code != ENOTDIR else { throw .noDirectory(path: path, directory) }
      throw .unwritable(path: path, reason: reason)
    }
  }

  deinit {
    close(descriptor)
    if !isInPlace { unlink(temporary) }
  }

  /// The name that a file is to get which several processes may write, and one is writing, or was when it
  /// was killed; `nil` for other names.
  public static func name(ofUnfinished name: String) -> String? {
    // Earlier versions gave them no ending.
    let identified = name.hasSuffix(ending) ? name.dropLast(ending.count) : name[...]
    guard let point = identified.lastIndex(of: "."),
      UUID(uuidString: String(identified[identified.index(after: point)...])) != nil
    else { return nil }
    return String(identified[..<point])
  }

  /// In bytes, so far.
  public var size: Int { fileSize(temporary) }

  /// Adds bytes at the end.
  public func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try write(bytes.count) { written in
      Foundation.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
    }
    unsynced += bytes.count
    if unsynced >= Self.syncedAtOnce { try sync() }
  }

  /// Adds bytes at the end.
  public func append(_ bytes: [UInt8]) throws(FileError) {
    try bytes.withUnsafeBytes { bytes in
      Result { () throws(FileError) in try append(bytes) }
    }.get()
  }

  /// Adds bytes at the end, and puts the file in its place.
  public func finish(with bytes: some Sequence<UInt8>) throws(FileError) {
    try append(Array(bytes))
    try finish()
  }

  /// Writes bytes at a place.
  public func write(_ bytes: [UInt8], at position: Int) throws(FileError) {
    try write(bytes.count) { written in
      bytes.withUnsafeBytes {
        pwrite(descriptor, $0.baseAddress! + written, $0.count - written, position + written)
      }
    }
  }

  /// - Parameter call: tries to write what is left, and returns how many bytes it wrote.
  private func write(_ count: Int, by call: (_ written: Int) -> Int) throws(FileError) {
    var written = 0
    while written < count {
      let more = call(written)
      if more < 0 && errno == EINTR { continue }
      guard more > 0 else { throw .unwritable(path: temporary, reason: systemReason()) }
      written += more
    }
  }

  private func sync() throws(FileError) {
    guard fsync(descriptor) == 0 else {
      throw .unwritable(path: temporary, reason: systemReason())
    }
    unsynced = 0
  }

  /// Puts the complete file in its place. `syncDirectory` makes its name survive a crash, too.
  ///
  /// - Parameter progress: is called as its content gets to the disk, which may take minutes.
  public func finish(progress: () -> Void = {}) throws(FileError) {
    let part = Self.syncedAtOnce
    for start in stride(from: 0, to: size, by: part) {
      // Only for the signs of progress: whether all is well, `fsync` says.
      let memory = mmap(nil, part, PROT_READ, MAP_SHARED, descriptor, off_t(start))
      if let memory, memory != MAP_FAILED {
        msync(memory, part, MS_SYNC)
        munmap(memory, part)
      }
      progress()
    }
    try sync()
    guard rename(temporary, path) == 0 else {
      throw .unwritable(path: path, reason: systemReason())
    }
    isInPlace = true
  }
}

/// Makes the names in a directory survive a crash of the machine.
public func syncDirectory(_ path: String) throws(FileError) {
  let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
  defer { close(descriptor) }
  // Some network file systems cannot sync directories and say EINVAL; their rename is durable.
  guard fsync(descriptor) == 0 || errno == EINVAL else {
    throw .unwritable(path: path, reason: systemReason())
  }
}
