import Foundation

/// A file being written through its descriptor, every status checked, so that after `finish` its content
/// survives a crash of the machine.
public final class DurableFile {
  private let path: String
  private let descriptor: Int32
  /// Bytes since the last sync.
  private var unsynced = 0

  /// So many bytes are synced at a time, so that neither the end takes long nor memory fills with what
  /// waits for a slow disk.
  private static let syncedAtOnce = 1 << 26

  /// Creates the file, or empties it.
  ///
  /// - Throws: `SafeTensorsError`, as all methods here.
  public init(path: String) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw SafeTensorsError(path, .system(operation: "create", code: errno))
    }
  }

  deinit {
    close(descriptor)
  }

  /// Adds bytes at the end.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = Foundation.write(
        descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if written < 0 && errno == EINTR { continue }
      guard written >= 0 else {
        throw SafeTensorsError(path, .system(operation: "write", code: errno))
      }
      rest = rest.dropFirst(written)
      unsynced += written
      if unsynced >= Self.syncedAtOnce { try finish() }
    }
  }

  /// Syncs the content to disk.
  public func finish() throws {
    guard fsync(descriptor) == 0 else {
      throw SafeTensorsError(path, .system(operation: "sync", code: errno))
    }
    unsynced = 0
  }

  /// Makes the names in a directory survive a crash of the machine, too.
  public static func syncDirectory(_ directory: String) throws {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw SafeTensorsError(directory, .system(operation: "open", code: errno))
    }
    defer { close(descriptor) }
    // Some network file systems cannot sync directories and say EINVAL; their rename is durable.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw SafeTensorsError(directory, .system(operation: "sync", code: errno))
    }
  }
}
