import Support

extension FolderListing {
  /// Names the format and its version.
  private static let magic = Array("sltt-index 3\n".utf8)

  /// As one block of `ByteFields`: the magic; the split; the numbers of classes, of directories, of
  /// reasons to pass over what is beside the class directories, and what is in them; each class as its
  /// number of files and name; each directory as seconds, nanoseconds and path; each reason as number
  /// and text; the names of all files; and the XXH64 of all that.
  var serialized: [UInt8] {
    var writer = ByteFields.Writer(bytes: Self.magic)
    writer.append(split.bytes)
    writer.append(classes.count)
    writer.append(directories.count)
    let reasons = [passedOverBesideClasses, passedOverInClasses].map(\.sorted)
    for list in reasons { writer.append(list.count) }
    for entry in classes {
      writer.append(entry.count)
      writer.append(entry.name.utf8)
    }
    for directory in directories {
      writer.append(directory.modified.seconds)
      writer.append(directory.modified.nanoseconds)
      writer.append(directory.path.bytes)
    }
    for (reason, count) in reasons.joined() {
      writer.append(count)
      writer.append(reason.text.utf8)
    }
    for index in 0..<files.count { writer.append(files.utf8(index)) }
    writer.append(XXHash64.hash(writer.bytes))
    return writer.bytes
  }

  /// - Returns: `nil` if the bytes are of another version, or damaged.
  init?(serialized bytes: [UInt8]) {
    guard let listing = bytes.withUnsafeBytes({ Self(serialized: $0) }) else { return nil }
    self = listing
  }

  init?(serialized bytes: UnsafeRawBufferPointer) {
    guard bytes.starts(with: Self.magic), bytes.count >= Self.magic.count + 8 else { return nil }
    let content = UnsafeRawBufferPointer(rebasing: bytes.dropLast(8))
    var end = ByteFields.Reader(UnsafeRawBufferPointer(rebasing: bytes.suffix(8)))
    var reader = ByteFields.Reader(
      UnsafeRawBufferPointer(rebasing: content.dropFirst(Self.magic.count)))
    guard let checksum = end.number(),
      UInt64(bitPattern: Int64(checksum)) == XXHash64.hash(content),
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
    guard reader.bytes.isEmpty else { return nil }
  }
}
