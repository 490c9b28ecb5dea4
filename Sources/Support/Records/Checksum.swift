import Foundation

/// Checksums of files and of records in them, as `xxh64:` and 16 hexadecimal digits.
public enum Checksum {
  /// A hash as text.
  public static func text(_ hash: UInt64) -> String { "xxh64:" + digits(hash) }

  /// A hash as 16 hexadecimal digits.
  public static func digits(_ hash: UInt64) -> String {
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Size in bytes and checksum of a file.
  ///
  /// - Parameter progress: is called whenever a part has been read.
  /// - Throws: `FileError` if it cannot be read.
  public static func ofFile(
    _ path: String, progress: () -> Void = {}
  ) throws(FileError) -> (bytes: Int, text: String) {
    let file = try RandomAccessFile(path: path)
    var hash = XXHash64()
    try file.forEachPart(of: 1 << 20) { part in
      part.withUnsafeBytes { hash.update($0) }
      progress()
    }
    return (file.size, text(hash.value))
  }

  /// The checksum of a value's JSON. Before records were sealed (`SealedRecord`), one was intact if
  /// the same came out again from what was read, without the checksum.
  public static func of(_ value: some Encodable) -> String {
    text(XXHash64.hash(Array(json(value))))
  }
}
