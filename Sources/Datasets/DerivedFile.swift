import Foundation

/// A file that is made from data once, and kept.
///
/// It is kept in `.sltt-dist` beside the data, or where that is not possible in
/// `$XDG_CACHE_HOME/sltt-dist` (`~/.cache/sltt-dist`). Of several processes that start at once one makes
/// it and the others wait; where the file system has no locks each makes its own, and the last one
/// stays.
struct DerivedFile {
  let name: String
  /// For messages, as "the frames of the recordings".
  let content: String
  /// Where it may be, the preferred place first.
  let directories: [String]

  /// The places for what is made of data in a directory.
  static func directories(
    beside data: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> [String] {
    let home = environment["XDG_CACHE_HOME"] ?? environment["HOME"].map { $0 + "/.cache" }
    // One directory of caches serves data sets of many places.
    let absolute = URL(fileURLWithPath: data).standardizedFileURL.path
    let place = String(checksum(absolute.utf8), radix: 16)
    return [data + "/.sltt-dist"] + (home.map { ["\($0)/sltt-dist/\(place)"] } ?? [])
  }

  /// Loads the file, or makes and loads it.
  ///
  /// - Parameters:
  ///   - load: returns nil unless the file is there, and is what is needed.
  ///   - progress: is called as the work of another process gets on that this one waits for.
  ///   - make: writes the file through a `PartialFile`.
  /// - Throws: what `make` throws; `DatasetError.uncacheable` where it can be kept nowhere.
  func open<Loaded>(
    load: (_ path: String) -> Loaded?, progress: () -> Void,
    make: (_ path: String) throws(DatasetError) -> Void
  ) throws(DatasetError) -> Loaded {
    let paths = directories.map { $0 + "/" + name }
    for path in paths {
      if let loaded = load(path) { return loaded }
    }
    var reason = "no place is known"
    for (directory, path) in zip(directories, paths) {
      guard let lock = lock(directory, &reason, progress: progress) else { continue }
      defer { close(lock.descriptor) }
      if let loaded = load(path) { return loaded }  // Made by another process.
      // Nobody else is at it, so these are of processes that were killed.
      if lock.isExclusive { PartialFile.unfinished(path).forEach { unlink($0) } }
      try make(path)
      if let loaded = load(path) { return loaded }
      reason = "\(path) was written but cannot be read"
    }
    throw .uncacheable(content: content, directories: directories, reason: reason)
  }

  /// A file that is to be closed afterwards; not exclusive where the file system has no locks.
  private typealias Lock = (descriptor: Int32, isExclusive: Bool)

  /// Makes the directory and waits until no other process works on the file. Returns `nil` and the reason
  /// where nothing can be written.
  private func lock(
    _ directory: String, _ reason: inout String, progress: () -> Void
  ) -> Lock? {
    let parent = (directory as NSString).deletingLastPathComponent
    var status = stat()
    // A directory without any permission to write is meant so, though the superuser could.
    if stat(parent, &status) == 0, status.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH) == 0 {
      reason = "\(parent) is read-only"
      return nil
    }
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
    } catch {
      reason = systemReason(of: error)
      return nil
    }
    let path = "\(directory)/\(name).lock"
    let lock = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard lock >= 0 else {
      reason = "\(path): \(errorText())"
      return nil
    }
    var written = 0
    while flock(lock, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { return (lock, false) }
      let now = PartialFile.unfinished("\(directory)/\(name)").reduce(0) { $0 + fileSize($1) }
      if now != written { progress() }
      written = now
      usleep(200_000)
    }
    return (lock, true)
  }
}
