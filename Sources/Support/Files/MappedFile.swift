import Foundation

/// A file mapped read-only into memory for as long as the object lives.
public final class MappedFile: Sendable {
  /// In bytes.
  public let count: Int
  private nonisolated(unsafe) let base: UnsafeMutableRawPointer?

  public init(path: String) throws(FileError) {
    let file = try openedRegularFile(RawPath(path))
    defer { close(file.descriptor) }
    count = file.size
    guard count > 0 else {  // An empty file cannot be mapped.
      base = nil
      return
    }
    let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, file.descriptor, 0)
    guard let address, address != MAP_FAILED else {
      throw .unreadable(path: path, reason: systemReason())
    }
    base = address
  }

  deinit {
    if let base {
      munmap(base, count)
    }
  }

  /// Calls `body` with bytes of the file. Afterwards they take no memory until they are read again.
  public func withBytes<R>(
    _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> R
  ) rethrows -> R {
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
