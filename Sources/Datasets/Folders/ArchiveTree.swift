import Support

/// The files of an archive as unpacking it would lay them out: a member that comes twice counts as
/// it came last, `.` and `..` in names are resolved and a leading `/` is dropped, a hard link is the
/// file that it names, and a symbolic link leads to what is there in the end.
struct ArchiveTree {
  let root = Directory(parent: nil)
  /// Whether the content of all files lies in the archive as it is.
  private(set) var isPlain = true

  /// A directory of an archive.
  final class Directory: ListedDirectory {
    /// `nil`: the root.
    fileprivate let parent: Directory?
    fileprivate var children: [[UInt8]: Node] = [:]

    fileprivate init(parent: Directory?) { self.parent = parent }

    var identity: ObjectIdentifier { ObjectIdentifier(self) }

    func entries() -> [ListedEntry<Directory>] {
      children.map { name, node in
        let kind: ListedEntry<Directory>.Kind =
          switch node.followed(from: self) {
          case .success(.file): .file
          case .success(.directory(let directory)): .directory(directory)
          case .success: .nothing(.special)
          case .failure(let failure): .nothing(failure.reason)
          }
        return ListedEntry(name: name, kind: kind)
      }
    }

    /// Where the content of a file lies in the archive.
    ///
    /// - Parameter path: of a file that listing has found.
    /// - Precondition: the archive is plain.
    func place(of path: RawPath) -> Range<Int> {
      let node = path.components.reduce(Node.directory(self)) { node, name in
        guard case .directory(let directory) = node,
          case .success(let next)? = directory.children[Array(name)]?.followed(from: directory)
        else { preconditionFailure("listing has found the file") }
        return next
      }
      guard case .file(let place?) = node else {
        preconditionFailure("the content of a file lies in the archive")
      }
      return place
    }
  }

  fileprivate enum Node {
    case directory(Directory)
    /// Where its content lies in the archive, if it lies there as it is.
    case file(Range<Int>?)
    case symbolicLink(RawPath)
    /// A device, a pipe or the like.
    case special
    /// A hard link to a name that did not come before.
    case brokenLink
  }

  /// Why a link cannot be followed.
  fileprivate struct BrokenLink: Error {
    let reason: PassedOver.Reason
  }

  /// In bytes; Linux unpacks none that is longer.
  private static let longestPath = 4096

  init() {}

  /// Reads the names of an archive, but no content.
  ///
  /// - Parameter each: is given every entry.
  init(
    path: String, _ method: FolderListing.Method = .alone,
    each: (ArchiveReader.Entry) throws(DatasetError) -> Void = { _ in }
  ) throws(DatasetError) {
    let reader = try ArchiveReader(path: path)
    var reports = Pacing()
    var members = 0
    while let entry = try reader.nextEntry() {
      guard entry.path.bytes.count <= Self.longestPath else {
        throw .unreadableArchive(
          path: path, reason: "a name has more than \(Self.longestPath) bytes")
      }
      insert(entry.path, entry.kind, at: entry.place)
      try each(entry)
      members += 1
      method.progress()
      if reports.isDue, method.lists { method.report("listing \(path): \(members) members") }
    }
  }

  /// Adds the next entry of the archive.
  ///
  /// - Parameter place: where the content of a file lies in the archive, if it lies there as it is.
  mutating func insert(_ path: RawPath, _ kind: ArchiveReader.Entry.Kind, at place: Range<Int>?) {
    if case .file = kind, place == nil { isPlain = false }
    guard let names = Self.normalized(path), let name = names.last else { return }
    let directory = names.dropLast().reduce(root) { $0.madeDirectory($1) }
    switch kind {
    case .directory: _ = directory.madeDirectory(name)
    case .file: directory.children[name] = .file(place)
    case .symbolicLink(let target): directory.children[name] = .symbolicLink(target)
    case .special: directory.children[name] = .special
    case .hardLink(let target): directory.children[name] = hardLinked(target)
    }
  }

  /// What a name stands for at this point of the archive; links are not followed.
  private func hardLinked(_ target: RawPath) -> Node {
    guard let names = Self.normalized(target), let name = names.last else { return .brokenLink }
    var directory = root
    for name in names.dropLast() {
      guard case .directory(let next)? = directory.children[name] else { return .brokenLink }
      directory = next
    }
    guard let node = directory.children[name] else { return .brokenLink }
    if case .directory = node { return .brokenLink }
    return node
  }

  /// Without `.` and `..`; `nil` if it leads out of the archive.
  private static func normalized(_ path: RawPath) -> [[UInt8]]? {
    var names: [[UInt8]] = []
    for name in path.components {
      if name.elementsEqual(".".utf8) { continue }
      if name.elementsEqual("..".utf8) {
        guard names.popLast() != nil else { return nil }
      } else {
        names.append(Array(name))
      }
    }
    return names
  }
}

extension ArchiveTree.Directory {
  /// The directory of this name, made if need be; one that a symbolic link leads to is one, too.
  fileprivate func madeDirectory(_ name: [UInt8]) -> ArchiveTree.Directory {
    if case .success(.directory(let directory))? = children[name]?.followed(from: self) {
      return directory
    }
    let directory = ArchiveTree.Directory(parent: self)
    children[name] = .directory(directory)
    return directory
  }

  /// What a path leads to from here, symbolic links followed.
  ///
  /// - Parameter links: followed so far for one name.
  fileprivate func find(
    _ path: RawPath, after links: inout Int
  ) -> Result<ArchiveTree.Node, ArchiveTree.BrokenLink> {
    var node = ArchiveTree.Node.directory(self)
    for name in path.components where !name.elementsEqual(".".utf8) {
      guard case .directory(let directory) = node else {
        return .failure(.init(reason: .brokenLink))
      }
      if name.elementsEqual("..".utf8) {
        guard let parent = directory.parent else { return .failure(.init(reason: .outsideLink)) }
        node = .directory(parent)
      } else {
        guard let child = directory.children[Array(name)] else {
          return .failure(.init(reason: .brokenLink))
        }
        switch child.followed(from: directory, after: &links) {
        case .success(let target): node = target
        case .failure(let failure): return .failure(failure)
        }
      }
    }
    return .success(node)
  }
}

extension ArchiveTree.Node {
  /// As many symbolic links as Linux follows for one name.
  private static var mostLinks: Int { 40 }

  /// What this is in the end: neither a symbolic link nor a broken one.
  ///
  /// - Parameter directory: where it is.
  fileprivate func followed(
    from directory: ArchiveTree.Directory
  ) -> Result<ArchiveTree.Node, ArchiveTree.BrokenLink> {
    var links = 0
    return followed(from: directory, after: &links)
  }

  /// - Parameter links: followed so far for one name.
  fileprivate func followed(
    from directory: ArchiveTree.Directory, after links: inout Int
  ) -> Result<ArchiveTree.Node, ArchiveTree.BrokenLink> {
    switch self {
    case .directory, .file, .special: return .success(self)
    case .brokenLink: return .failure(.init(reason: .brokenLink))
    case .symbolicLink(let target):
      guard target.bytes.first != UInt8(ascii: "/") else {
        return .failure(.init(reason: .outsideLink))
      }
      guard links < Self.mostLinks else { return .failure(.init(reason: .circularLink)) }
      links += 1
      return directory.find(target, after: &links)
    }
  }
}
