import Support

/// The entries of a plain tar in their order, without their content, kept from run to run: of a large one
/// on a slow disk it takes minutes to read them.
struct ArchiveIndex {
  /// The tar.
  private let path: String
  private let file: DerivedFile

  /// - Parameters:
  ///   - tar: of which the index is.
  ///   - archive: for which it stands.
  ///   - directories: where the index may be; see `DerivedFile`.
  init(of tar: String, for archive: String, directories: [String]? = nil) throws(DatasetError) {
    path = tar
    file = DerivedFile(
      // Of an archive with holes there are two, of itself and of its copy.
      of: archive, state: try ArchiveState(of: tar),
      ending: tar == archive ? ".index" : ".tar.index",
      content: "the index of \(archive)", directories: directories)
  }

  /// What is in the tar. Its headers are read unless there is an index of its present state; where none can
  /// be kept, they are read each time.
  func tree(_ method: FolderListing.Method) throws(DatasetError) -> ArchiveTree {
    var read: ArchiveTree?
    do throws(DatasetError) {
      return try file.open(
        load: { read ?? Self.load($0) }, progress: method.progress,
        make: { index throws(DatasetError) in
          var writer = Writer(try onFiles(PartialFile(path: index, isShared: true)))
          read = try ArchiveTree(path: path, method) { entry throws(DatasetError) in
            try writer.add(entry)
          }
          try writer.finish(method)
        })
    } catch .uncacheable {
      if let read { return read }
      return try ArchiveTree(path: path, method)
    }
  }

  /// - Returns: `nil` if there is no index, or it is damaged or of another version.
  private static func load(_ index: String) -> ArchiveTree? {
    guard let file = try? MappedFile(path: index) else { return nil }
    return file.withBytes(0..<file.count) { ArchiveTree(index: $0) }
  }

  /// Names the format and its version.
  fileprivate static let magic = Array("sltt-tar 1\n".utf8)

  /// What kind an entry is of, as one byte.
  fileprivate enum Kind: UInt8 {
    case file, fileWithHoles, directory, hardLink, symbolicLink, special
  }

  /// Writes an index: the magic; of each entry its kind, its path, and of a file its place's start and size,
  /// of a link its target; and the XXH64 of all that.
  private struct Writer {
    private let file: PartialFile
    private var fields = ByteFields.Writer(bytes: ArchiveIndex.magic)
    private var hash = XXHash64()

    init(_ file: PartialFile) { self.file = file }

    mutating func add(_ entry: ArchiveReader.Entry) throws(DatasetError) {
      func append(_ kind: Kind) {
        fields.bytes.append(kind.rawValue)
        fields.append(entry.path.bytes)
      }
      switch entry.kind {
      case .file:
        append(entry.place == nil ? .fileWithHoles : .file)
        if let place = entry.place { fields.append(place) }
      case .directory: append(.directory)
      case .hardLink(let target):
        append(.hardLink)
        fields.append(target.bytes)
      case .symbolicLink(let target):
        append(.symbolicLink)
        fields.append(target.bytes)
      case .special: append(.special)
      }
      if fields.bytes.count > 1 << 20 { try flush() }
    }

    private mutating func flush() throws(DatasetError) {
      fields.bytes.withUnsafeBytes { hash.update($0) }
      try onFiles(file.append(fields.bytes))
      fields.bytes.removeAll(keepingCapacity: true)
    }

    mutating func finish(_ method: FolderListing.Method) throws(DatasetError) {
      try flush()
      fields.append(hash.value)
      try onFiles(file.append(fields.bytes))
      try onFiles(file.finish(progress: method.progress))
    }
  }
}

extension ArchiveTree {
  /// - Returns: `nil` if the bytes are no index of this version, or damaged.
  init?(index bytes: UnsafeRawBufferPointer) {
    guard bytes.starts(with: ArchiveIndex.magic), bytes.count >= ArchiveIndex.magic.count + 8 else {
      return nil
    }
    let content = UnsafeRawBufferPointer(rebasing: bytes.dropLast(8))
    var end = ByteFields.Reader(UnsafeRawBufferPointer(rebasing: bytes.suffix(8)))
    guard end.number() == Int(bitPattern: UInt(XXHash64.hash(content))) else { return nil }
    var reader = ByteFields.Reader(
      UnsafeRawBufferPointer(rebasing: content.dropFirst(ArchiveIndex.magic.count)))
    self.init()
    while let byte = reader.byte() {
      guard let kind = ArchiveIndex.Kind(rawValue: byte), let path = reader.path() else {
        return nil
      }
      switch kind {
      case .file:
        guard let place = reader.place() else { return nil }
        insert(path, .file, at: place)
      case .fileWithHoles: insert(path, .file, at: nil)
      case .directory: insert(path, .directory, at: nil)
      case .hardLink:
        guard let target = reader.path() else { return nil }
        insert(path, .hardLink(target), at: nil)
      case .symbolicLink:
        guard let target = reader.path() else { return nil }
        insert(path, .symbolicLink(target), at: nil)
      case .special: insert(path, .special, at: nil)
      }
    }
  }
}

extension ByteFields.Reader {
  fileprivate mutating func path() -> RawPath? { name().map { RawPath(Array($0)) } }
}
