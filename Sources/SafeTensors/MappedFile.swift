import Foundation

/// A file mapped read-only into memory for as long as the object lives.
final class MappedFile: Sendable {
  let count: Int
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer?

  /// - Throws: `SafeTensorsError` with the system's reason.
  init(path: String) throws {
    // A pipe would keep `open` waiting for somebody to write to it.
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw SafeTensorsError(path, .system(operation: "open", code: errno))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw SafeTensorsError(path, .system(operation: "read", code: errno))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw SafeTensorsError(path, .malformed("it is not a regular file"))
    }
    count = Int(status.st_size)
    guard count > 0 else {  // An empty file cannot be mapped.
      base = nil
      return
    }
    let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let address, address != MAP_FAILED else {
      throw SafeTensorsError(path, .system(operation: "map", code: errno))
    }
    base = address
  }

  deinit {
    if let base {
      munmap(base, count)
    }
  }

  /// Calls `body` with bytes of the file. Afterwards they take no memory until they are read again.
  func withBytes<R>(_ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R
  {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    defer {
      if let base {
        let start = range.lowerBound & -Int(getpagesize())
        madvise(base + start, range.upperBound - start, MADV_DONTNEED)
      }
    }
    return try body(
      UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(start: base, count: count)[range]))
  }
}
