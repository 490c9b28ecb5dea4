import Foundation
import Support

/// A file that is made from data once, and kept.
///
/// It is kept in `.sltt-dist` beside the data, or where that is not possible in
/// `$XDG_CACHE_HOME/sltt-dist` (`~/.cache/sltt-dist`). Of several processes that start at once one makes
/// it and the others wait; where the file system has no locks each makes its own, and the last one
/// stays.
struct DerivedFile {
  private let name: String
  private let ending: String
  /// Of what it is made of, if the name tells that.
  private let state: UInt64?
  /// For messages, as "the frames of the recordings".
  private let content: String
  /// Where it may be, the preferred place first.
  private let directories: [String]

  /// - Parameters:
  ///   - name: what all its states have in common.
  ///   - state: of what it is made of; files of other states are removed.
  ///   - ending: of the file, where there are states.
  init(
    _ name: String, state: UInt64? = nil, ending: String = "", content: String,
    directories: [String]
  ) {
    (self.name, self.state, self.ending) = (name, state, ending)
    (self.content, self.directories) = (content, directories)
  }

  /// The places for what is made of data in a directory.
  static func directories(
    beside data: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> [String] {
    // One directory of caches serves data sets of many places.
    let absolute = URL(fileURLWithPath: data).standardizedFileURL.path
    let place = String(XXHash64.hash(Array(absolute.utf8)), radix: 16)
    return [data + "/.sltt-dist"]
      + (userCacheDirectory(environment).map { ["\($0)/\(place)"] } ?? [])
  }

  private var fileName: String {
    state.map { "\(name).\(Checksum.digits($0))\(ending)" } ?? name
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
    let paths = directories.map { $0 + "/" + fileName }
    for path in paths {
      if let loaded = load(path) { return loaded }
    }
    var reasons: [String] = []
    for (directory, path) in zip(directories, paths) {
      guard let lock = lock(directory, &reasons, progress: progress) else { continue }
      defer { withExtendedLifetime(lock) {} }
      if let loaded = load(path) { return loaded }  // Made by another process.
      // Nobody else is at it, so these are of processes that were killed, or of earlier states.
      if lock.isExclusive { remains(in: directory).forEach { unlink($0) } }
      do throws(DatasetError) {
        try make(path)
      } catch .file(.unwritable(let path, let reason)) {
        // Another place may have more room.
        reasons.append("\(path): \(reason)")
        continue
      }
      if let loaded = load(path) { return loaded }
      reasons.append("\(path) was written but cannot be read")
    }
    let reason = reasons.isEmpty ? "no place is known" : reasons.joined(separator: "; ")
    throw .uncacheable(content: content, directories: directories, reason: reason)
  }

  /// What is half-written, and what was made of other states.
  private func remains(in directory: String) -> [String] {
    ((try? directoryEntries(directory)) ?? []).filter { entry in
      let unfinished = PartialFile.name(ofUnfinished: entry)
      return unfinished == fileName || isOfOtherState(unfinished ?? entry)
    }.map { directory + "/" + $0 }
  }

  private func isOfOtherState(_ file: String) -> Bool {
    guard state != nil, file != fileName, file.hasPrefix(name), file.hasSuffix(ending) else {
      return false
    }
    let state = file.dropFirst(name.count).dropLast(ending.count)
    return state.wholeMatch(of: /\.[0-9a-f]{16}/) != nil
  }

  /// Not exclusive where the file system has no locks.
  private typealias Lock = (file: FileLock, isExclusive: Bool)

  /// Makes the directory and waits until no other process works on the file. Returns `nil` and the reason
  /// where nothing can be written.
  private func lock(
    _ directory: String, _ reasons: inout [String], progress: () -> Void
  ) -> Lock? {
    let parent = (directory as NSString).deletingLastPathComponent
    var status = stat()
    // A directory without any permission to write is meant so, though the superuser could.
    if stat(parent, &status) == 0, status.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH) == 0 {
      reasons.append("\(parent) is read-only")
      return nil
    }
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
    } catch {
      reasons.append("\(directory): \(systemReason(of: error))")
      return nil
    }
    let path = "\(directory)/\(name).lock"
    let lock: FileLock
    do {
      lock = try FileLock(path: path)
    } catch {
      reasons.append("\(path): \(systemReason(of: error))")
      return nil
    }
    var written = 0
    while true {
      switch lock.attempt() {
      case .taken: return (lock, true)
      case .unsupported: return (lock, false)
      case .refused: break
      }
      let now = ((try? directoryEntries(directory)) ?? [])
        .filter { PartialFile.name(ofUnfinished: $0)?.hasPrefix(name) == true }
        .reduce(0) { $0 + fileSize("\(directory)/\($1)") }
      if now != written { progress() }
      written = now
      usleep(200_000)
    }
  }
}

/// The user's directory for caches; `nil` where none is known.
func userCacheDirectory(
  _ environment: [String: String] = ProcessInfo.processInfo.environment
) -> String? {
  func directory(_ name: String) -> String? {
    environment[name].flatMap { $0.isEmpty ? nil : $0 }
  }
  let caches = directory("XDG_CACHE_HOME") ?? directory("HOME").map { $0 + "/.cache" }
  return caches.map { $0 + "/sltt-dist" }
}
