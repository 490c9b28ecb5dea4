extension FolderListing {
  /// Names the format and its version.
  private static let magic = Array("sltt-index 1\n".utf8)

  /// As one block of bytes: the magic; the number of classes; for each its seconds, nanoseconds,
  /// number of files, and name; the names of all files; and the XXH64 of all that. Numbers have 8
  /// bytes, little-endian; a name has its length in 2 bytes in front.
  var serialized: [UInt8] {
    var bytes = Self.magic
    func append(_ number: Int) {
      withUnsafeBytes(of: UInt64(bitPattern: Int64(number)).littleEndian) {
        bytes.append(contentsOf: $0)
      }
    }
    func append(_ name: some Collection<UInt8>) {
      withUnsafeBytes(of: UInt16(name.count).littleEndian) { bytes.append(contentsOf: $0) }
      bytes.append(contentsOf: name)
    }
    append(classes.count)
    for entry in classes {
      append(entry.modified.seconds)
      append(entry.modified.nanoseconds)
      append(entry.count)
      append(Array(entry.name.utf8))
    }
    for index in 0..<files.count { append(files.utf8(index)) }
    append(Int(bitPattern: UInt(XXHash64.hash(bytes))))
    return bytes
  }

  /// - Returns: `nil` if the bytes are of another version, or damaged.
  init?(serialized bytes: [UInt8]) {
    guard bytes.starts(with: Self.magic), bytes.count >= Self.magic.count + 8 else { return nil }
    var reader = Reader(bytes: bytes[Self.magic.count...])
    var end = Reader(bytes: bytes[(bytes.count - 8)...])
    guard let checksum = end.number(),
      UInt64(bitPattern: Int64(checksum)) == XXHash64.hash(Array(bytes.dropLast(8))),
      let classCount = reader.number(), classCount >= 0
    else { return nil }
    var fileCount = 0
    for _ in 0..<classCount {
      guard let seconds = reader.number(), let nanoseconds = reader.number(),
        let count = reader.number(), count > 0, count <= bytes.count, let name = reader.name()
      else { return nil }
      classes.append(
        ClassDirectory(
          name: String(decoding: name, as: UTF8.self),
          modified: ModificationTime(seconds: seconds, nanoseconds: nanoseconds), count: count))
      fileCount += count
    }
    for _ in 0..<fileCount {
      guard let name = reader.name() else { return nil }
      files.append(utf8: name)
    }
    guard reader.bytes.count == 8 else { return nil }
  }
}

/// Takes values off the front of bytes, as long as there are enough.
private struct Reader {
  var bytes: ArraySlice<UInt8>

  mutating func number() -> Int? {
    guard bytes.count >= 8 else { return nil }
    let number = bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    bytes = bytes.dropFirst(8)
    return Int(Int64(bitPattern: number))
  }

  mutating func name() -> ArraySlice<UInt8>? {
    guard bytes.count >= 2 else { return nil }
    let length = Int(bytes[bytes.startIndex]) | Int(bytes[bytes.startIndex + 1]) << 8
    bytes = bytes.dropFirst(2)
    guard bytes.count >= length else { return nil }
    defer { bytes = bytes.dropFirst(length) }
    return bytes.prefix(length)
  }
}
