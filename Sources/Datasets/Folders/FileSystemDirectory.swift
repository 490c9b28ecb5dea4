import Foundation
import Support

/// A directory of the file system.
struct FileSystemDirectory: ListedDirectory {
  struct Identity: Hashable {
    let device: UInt
    let inode: UInt
  }

  let path: RawPath
  let identity: Identity
  /// When an entry was last added to it, renamed or removed, as far as it was when this was made: a
  /// later change makes a listing look old.
  let modified: ModificationTime

  init(path: RawPath) throws(DatasetError) {
    let status = try onFiles(FileStatus(of: path).status)
    self.path = path
    identity = Identity(device: UInt(status.st_dev), inode: UInt(status.st_ino))
    modified = ModificationTime(
      seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
  }

  /// Not all that a machine has, nor what its kernel tells in the form of files.
  var isSearched: Bool {
    guard let root = try? Self(path: RawPath("/")) else { return false }
    let kernel = ["/proc", "/sys"].compactMap { try? Self(path: RawPath($0)).identity.device }
    // Where nothing is mounted there, these are ordinary directories.
    return identity != root.identity
      && (identity.device == root.identity.device || !kernel.contains(identity.device))
  }

  /// Only links are looked at, and directories; no file is touched where the directory tells what is
  /// one.
  func entries() throws(DatasetError) -> [ListedEntry<Self>] {
    var names: [(name: [UInt8], kind: FileKind?)] = []
    try onFiles(forEachEntry(of: path) { names.append(($0, $1)) })
    var entries: [ListedEntry<Self>] = []
    entries.reserveCapacity(names.count)
    for (name, kind) in names {
      entries.append(ListedEntry(name: name, kind: try self.kind(of: name, kind)))
    }
    return entries
  }

  private func kind(
    of name: [UInt8], _ known: FileKind?
  ) throws(DatasetError) -> ListedEntry<Self>.Kind {
    let path = path.appending(name)
    switch known {
    case .file: return .file
    case .directory: return .directory(try FileSystemDirectory(path: path))
    case nil:
      var status = stat()
      guard path.withCString({ stat($0, &status) }) == 0 else {
        switch errno {
        case ENOENT, ENOTDIR: return .nothing(.brokenLink)
        case ELOOP: return .nothing(.circularLink)
        default: throw .unreadable(path: "\(path)", reason: systemReason())
        }
      }
      switch status.st_mode & S_IFMT {
      case S_IFREG: return .file
      case S_IFDIR: return .directory(try FileSystemDirectory(path: path))
      default: return .nothing(.special)
      }
    }
  }
}

/// When a directory was last changed.
struct ModificationTime: Sendable, Equatable {
  var seconds: Int
  var nanoseconds: Int
}

/// The directories in a directory, sorted by their bytes; hidden ones are left out.
func subdirectories(of path: String) throws(DatasetError) -> [String] {
  try FileSystemDirectory(path: RawPath(path)).subdirectories().map { "\(RawPath($0.name))" }
}

extension Array where Element == [UInt8] {
  /// Sorted by bytes, which is the order of Python's `sorted` for names that are UTF-8.
  mutating func sortByBytes() { sort { $0.lexicographicallyPrecedes($1) } }
}
