import Foundation

/// A path of the file system, or in an archive, by its bytes, which need not be UTF-8.
public struct RawPath: Sendable, Hashable, CustomStringConvertible {
  public var bytes: [UInt8]

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public init(_ text: String) { bytes = Array(text.utf8) }

  public init(_ text: UnsafePointer<CChar>) {
    bytes = Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
  }

  /// The path of something in this directory; with an empty path, its name.
  @inlinable
  public func appending(_ name: some Collection<UInt8>) -> RawPath {
    RawPath(bytes + (bytes.isEmpty ? [] : [UInt8(ascii: "/")]) + name)
  }

  /// Without slashes at the end, but for the root.
  public var withoutSlashAtEnd: RawPath {
    var bytes = bytes
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    return RawPath(bytes)
  }

  /// Names between slashes.
  public var components: [ArraySlice<UInt8>] { bytes.split(separator: UInt8(ascii: "/")) }

  /// For people: what is not UTF-8 becomes a replacement character.
  public var description: String { String(decoding: bytes, as: UTF8.self) }

  public func withCString<Result>(
    _ body: (UnsafePointer<CChar>) throws -> Result
  ) rethrows -> Result {
    try (bytes + [0]).withUnsafeBytes { bytes in
      try body(bytes.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
  }
}
