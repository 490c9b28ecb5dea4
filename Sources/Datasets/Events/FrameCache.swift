import Foundation

/// Finds the stored frames of a split, or makes and stores them.
///
/// They are stored in `.sltt-dist` beside the recordings, or where that is not possible in
/// `$XDG_CACHE_HOME/sltt-dist` (`~/.cache/sltt-dist`). Of several processes that start at once one
/// makes them and the others wait; where the file system has no locks each makes its own, and the
/// last one stays.
struct FrameCache {
  let recordings: RecordingList
  let rule: FrameRule
  let timesteps: Int
  let sensor: Sensor
  /// Names the split and the rule.
  let name: String
  /// Where the file may be, the preferred place first.
  let directories: [String]

  /// - Parameter report: is told about work that takes time.
  func open(threads: Int, report: @Sendable (String) -> Void) throws(DatasetError) -> FrameFile {
    let key = try self.key()
    for directory in directories {
      if let file = FrameFile(path: directory + "/" + name, key: key) { return file }
    }
    var reason = "no place is known"
    for directory in directories {
      guard let lock = Self.lock(directory, name: name, &reason) else { continue }
      defer { close(lock) }
      let path = directory + "/" + name
      if let file = FrameFile(path: path, key: key) { return file }  // Made by another process.
      try make(path, key: key, threads: threads, report: report)
      if let file = FrameFile(path: path, key: key) { return file }
      reason = "\(path) was written but cannot be read"
    }
    throw .uncacheable(directories: directories, reason: reason)
  }

  /// Makes the directory and waits until no other process works on the file. Returns what to close
  /// afterwards, or `nil` and the reason where nothing can be written.
  private static func lock(_ directory: String, name: String, _ reason: inout String) -> Int32? {
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
      reason = error.localizedDescription
      return nil
    }
    let path = "\(directory)/\(name).lock"
    let lock = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard lock >= 0 else {
      reason = "\(path): \(String(cString: strerror(errno)))"
      return nil
    }
    while flock(lock, LOCK_EX) != 0 && errno == EINTR {}
    return lock
  }

  /// The places for the recordings at a path.
  static func directories(
    dataPath: String, environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> [String] {
    let home = environment["XDG_CACHE_HOME"] ?? environment["HOME"].map { $0 + "/.cache" }
    // One directory of caches serves data sets of many places.
    let absolute = URL(fileURLWithPath: dataPath).standardizedFileURL.path
    let place = String(checksum(absolute.utf8), radix: 16)
    return [dataPath + "/.sltt-dist"] + (home.map { ["\($0)/sltt-dist/\(place)"] } ?? [])
  }

  /// Stands for the recordings, as far as names, sizes and times of change show them, and for all
  /// that decides what becomes of them.
  private func key() throws(DatasetError) -> UInt64 {
    // The number changes when other frames are made of the same recordings.
    var text = "2 \(recordings.format) \(recordings.convention) \(rule) \(timesteps) \(sensor)"
    text += " \(recordings.classes)\n"
    for file in recordings.files {
      var status = stat()
      guard stat(file.path, &status) == 0 else { throw .notFound(path: file.path) }
      text += "\(file.path.dropFirst(recordings.location.count)) \(status.st_size)"
      text += " \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
      text += file.windows == RecordingList.wholeFile ? "\n" : " \(file.windows)\n"
    }
    return checksum(text.utf8) ^ checksum(recordings.labels.map { UInt8(truncatingIfNeeded: $0) })
  }

  private func make(
    _ path: String, key: UInt64, threads: Int, report: @Sendable (String) -> Void
  ) throws(DatasetError) {
    let count = recordings.labels.count
    report("making frames of \(count) recordings of \(recordings.location) for \(path)")
    let start = ContinuousClock.now
    let writer = try FrameFileWriter(
      path: path,
      header: .init(key: key, samples: count, timesteps: timesteps, sensor: sensor))
    let queue = FileQueue(count: recordings.files.count)
    let workers = (0..<min(threads, recordings.files.count)).map { _ in
      WorkerThread { [self] in
        let maker = FrameMaker(
          recordings: recordings, rule: rule, timesteps: timesteps, sensor: sensor)
        while !writer.hasFailed, let file = queue.next() {
          do throws(DatasetError) {
            try maker.makeFrames(of: recordings.files[file], for: writer)
          } catch {
            writer.fail(error)
          }
        }
      }
    }
    for worker in workers { worker.join() }
    try writer.finish()
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    report(
      "made the frames in \(Int(seconds.rounded(.up))) s, \(Int(Double(count) / seconds)) a second")
  }
}

/// Numbers files for several threads.
private final class FileQueue: @unchecked Sendable {
  private let lock = NSLock()
  private let count: Int
  private var taken = 0

  init(count: Int) { self.count = count }

  func next() -> Int? {
    lock.withLock {
      guard taken < count else { return nil }
      taken += 1
      return taken - 1
    }
  }
}
