import Foundation
import Support

/// The plain tar that stands for an archive, so that single members can be read where they lie: the
/// archive itself, or, of one that is compressed or has sparse members, a copy. That of a small archive
/// is in memory; that of a large one is a file, which is made once for all processes.
struct PlainTar {
  let file: RandomAccessFile
  /// Whether it is the archive itself.
  let isItself: Bool
  private let archive: String
  private let path: String
  /// Where a copy in memory has its path from.
  private let memory: MemoryFile?
  private let isSmall: Bool

  /// Bytes of an archive of which nothing is kept in files.
  static let largestInMemory = 8 << 20

  /// - Parameters:
  ///   - isItself: whether the archive is plain; else a copy is made, or found.
  ///   - largestInMemory: see above.
  /// - Throws: where the archive is damaged, or no copy can be kept.
  init(
    of archive: String, isItself: Bool, _ method: FolderListing.Method,
    largestInMemory: Int = Self.largestInMemory
  ) throws(DatasetError) {
    (self.archive, self.isItself) = (archive, isItself)
    isSmall = fileSize(archive) <= largestInMemory
    var memory: MemoryFile?
    if isItself {
      path = archive
    } else if isSmall {
      let copy = try MemoryFile(of: archive)
      try Self.copy(archive, to: copy.descriptor, path: copy.path, method)
      path = copy.path
      memory = copy
    } else {
      path = try Copy(of: archive).made(method)
    }
    self.memory = memory
    file = try onFiles(RandomAccessFile(path: path))
  }

  /// The plain tar, and what is in it.
  static func withTree(
    of archive: String, _ method: FolderListing.Method,
    largestInMemory: Int = Self.largestInMemory
  ) throws(DatasetError) -> (PlainTar, ArchiveTree) {
    if try !ArchiveReader(path: archive).isCompressed {
      let tar = try Self(
        of: archive, isItself: true, method, largestInMemory: largestInMemory)
      let tree = try tar.tree(method)
      if tree.isPlain { return (tar, tree) }
    }
    let tar = try Self(of: archive, isItself: false, method, largestInMemory: largestInMemory)
    return (tar, try tar.tree(method))
  }

  private func tree(_ method: FolderListing.Method) throws(DatasetError) -> ArchiveTree {
    try isSmall
      ? ArchiveTree(path: path, method) : ArchiveIndex(of: path, for: archive).tree(method)
  }

  /// Writes all entries of an archive as a plain tar.
  private static func copy(
    _ archive: String, to descriptor: Int32, path: String, _ method: FolderListing.Method
  ) throws(DatasetError) {
    try requireIntactGzip(archive, method)
    var reports = Pacing()
    let reader = try ArchiveReader(path: archive)
    let writer = try ArchiveWriter(descriptor: descriptor, path: path)
    while let entry = try reader.nextEntry() {
      try writer.add(entry)
      // The content of a hard link is that of the file that it names.
      guard case .file = entry.kind else { continue }
      try reader.forEachBlock { block, offset throws(DatasetError) in
        try writer.write(block, at: offset)
        method.progress()
        if reports.isDue {
          method.report("read \(reader.percentRead) % of \(archive)")
        }
      }
    }
    try writer.finish()
  }

  /// The copy of an archive in its present state. After the tar's end it has its own size, so that one
  /// that was cut is known.
  struct Copy {
    private let archive: String
    private let file: DerivedFile

    /// - Parameter directories: where the copy may be; see `DerivedFile`.
    init(of archive: String, directories: [String]? = nil) throws(DatasetError) {
      self.archive = archive
      file = DerivedFile(
        of: archive, state: try ArchiveState(of: archive), ending: ".tar",
        content: "the plain copy of \(archive)", directories: directories)
    }

    /// The copy's path; it is made if need be.
    func made(_ method: FolderListing.Method) throws(DatasetError) -> String {
      try file.open(
        load: { Self.isWhole($0) ? $0 : nil }, progress: method.progress,
        make: { path throws(DatasetError) in
          method.report("making a plain copy of \(archive), once: \(path)")
          let file = try onFiles(PartialFile(path: path, isShared: true))
          try PlainTar.copy(archive, to: file.descriptor, path: path, method)
          let size = file.size
          try onFiles(file.write(Self.mark(size: size), at: size))
          try onFiles(file.finish(progress: method.progress))
        })
    }

    private static func mark(size: Int) -> [UInt8] {
      Array("SLTTTAR1".utf8) + withUnsafeBytes(of: UInt64(size).littleEndian) { Array($0) }
    }

    private static func isWhole(_ path: String) -> Bool {
      guard let file = try? RandomAccessFile(path: path), file.size > 16 else { return false }
      var bytes: [UInt8] = []
      let end = file.size - 16
      return (try? file.read(end..<file.size, into: &bytes)) != nil && bytes == mark(size: end)
    }
  }
}

/// A file that is nowhere but in memory, as long as this or a descriptor opened by its path lives.
private final class MemoryFile {
  let descriptor: Int32
  var path: String { "/proc/self/fd/\(descriptor)" }

  /// - Parameter archive: whose content it is for, for messages.
  init(of archive: String) throws(DatasetError) {
    let name = "/sltt-dist.\(UUID().uuidString)"
    descriptor = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0o600)
    guard descriptor >= 0 else {
      throw .unreadable(
        path: archive, reason: "no shared memory for its content: \(systemReason())")
    }
    shm_unlink(name)
  }

  deinit { close(descriptor) }
}
