import Support

extension FolderListing {
  /// Names the format and its version.
  private static let magic = Array("sltt-index 2\n".utf8)

  /// As one block of bytes: the magic; the split; the numbers of classes, of directories, of reasons
  /// to pass over what is beside the class directories, and what is in them; each class as its number
  /// of files and name; each directory as seconds, nanoseconds and path; each reason as number and
  /// text; the names of all files; and the XXH64 of all that. Numbers have 8 bytes, little-endian; a
  /// name has its length in 2 bytes in front.
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
    append(split.bytes)
    append(classes.count)
    append(directories.count)
    let reasons = [passedOverBesideClasses, passedOverInClasses].map(\.sorted)
    for list in reasons { append(list.count) }
    for entry in classes {
      append(entry.count)
      append(Array(entry.name.utf8))
    }
    for directory in directories {
      append(directory.modified.seconds)
      append(directory.modified.nanoseconds)
      append(directory.path.bytes)
    }
    for (reason, count) in reasons.joined() {
      append(count)
      append(Array(reason.text.utf8))
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
      let split = reader.name(), let classCount = reader.count(),
      let directoryCount = reader.count(), let besideCount = reader.count(),
      let insideCount = reader.count()
    else { return nil }
    self.init(split: RawPath(Array(split)))
    var fileCount = 0
    for _ in 0..<classCount {
      guard let count = reader.count(), count > 0, let name = reader.name() else { return nil }
      classes.append(ClassDirectory(name: String(decoding: name, as: UTF8.self), count: count))
      fileCount += count
    }
    for _ in 0..<directoryCount {
      guard let seconds = reader.number(), let nanoseconds = reader.number(),
        let path = reader.name()
      else { return nil }
      directories.append(
        DirectoryState(
          path: RawPath(Array(path)),
          modified: ModificationTime(seconds: seconds, nanoseconds: nanoseconds)))
    }
    for number in 0..<besideCount + insideCount {
      guard let count = reader.count(), let text = reader.name() else { return nil }
      let reason = PassedOver.Reason(text: String(decoding: text, as: UTF8.self))
      if number < besideCount {
        passedOverBesideClasses.add(reason, count: count)
      } else {
        passedOverInClasses.add(reason, count: count)
      }
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

  /// A number of things, of which each takes at least a byte of those that were there.
  mutating func count() -> Int? {
    guard let number = number(), 0...bytes.endIndex ~= number else { return nil }
    return number
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
