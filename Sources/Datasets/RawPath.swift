import Foundation

/// A path of the file system, or in an archive, by its bytes, which need not be UTF-8.
struct RawPath: Sendable, Hashable, CustomStringConvertible {
  var bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  init(_ text: String) { bytes = Array(text.utf8) }

  init(_ text: UnsafePointer<CChar>) {
    bytes = Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
  }

  /// The path of something in this directory; with an empty path, its name.
  func appending(_ name: some Collection<UInt8>) -> RawPath {
    RawPath(bytes + (bytes.isEmpty ? [] : [UInt8(ascii: "/")]) + name)
  }

  /// Names between slashes.
  var components: [ArraySlice<UInt8>] { bytes.split(separator: UInt8(ascii: "/")) }

  /// For people: what is not UTF-8 becomes a replacement character.
  var description: String { String(decoding: bytes, as: UTF8.self) }

  func withCString<Result>(_ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
    try (bytes + [0]).withUnsafeBytes { bytes in
      try body(bytes.baseAddress!.assumingMemoryBound(to: CChar.self))
    }
  }
}

extension Array where Element == [UInt8] {
  /// Sorted by bytes, which is the order of Python's `sorted` for names that are UTF-8.
  mutating func sortByBytes() { sort { $0.lexicographicallyPrecedes($1) } }
}
