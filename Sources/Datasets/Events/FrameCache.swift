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
  /// At least so long is between two reports of how far the work is.
  var reportInterval = Duration.seconds(5)

  /// - Parameters:
  ///   - progress: is called whenever the work gets on, also that of another process that this one waits
  ///     for.
  ///   - report: is told about work that takes time, and how far it is.
  func open(
    threads: Int, progress: @escaping @Sendable () -> Void,
    report: @escaping @Sendable (String) -> Void
  ) throws(DatasetError) -> FrameFile {
    let key = try self.key(progress: progress)
    for directory in directories {
      if let file = FrameFile(path: directory + "/" + name, key: key) { return file }
    }
    var reason = "no place is known"
    for directory in directories {
      guard let lock = lock(directory, &reason, progress: progress) else { continue }
      defer { close(lock.descriptor) }
      let path = directory + "/" + name
      if let file = FrameFile(path: path, key: key) { return file }  // Made by another process.
      // Nobody else is at it, so these are of processes that were killed.
      if lock.isExclusive { FrameFileWriter.unfinished(path).forEach { unlink($0) } }
      try make(path, key: key, threads: threads, progress: progress, report: report)
      if let file = FrameFile(path: path, key: key) { return file }
      reason = "\(path) was written but cannot be read"
    }
    throw .uncacheable(directories: directories, reason: reason)
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
      reason = error.localizedDescription
      return nil
    }
    let path = "\(directory)/\(name).lock"
    let lock = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard lock >= 0 else {
      reason = "\(path): \(String(cString: strerror(errno)))"
      return nil
    }
    var written = 0
    while flock(lock, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { return (lock, false) }
      let now = FrameFileWriter.unfinished("\(directory)/\(name)").reduce(0) {
        $0 + fileSize($1)
      }
      if now != written { progress() }
      written = now
      usleep(200_000)
    }
    return (lock, true)
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
  private func key(progress: () -> Void) throws(DatasetError) -> UInt64 {
    // The number changes when other frames are made of the same recordings.
    var text = "2 \(recordings.format) \(recordings.convention) \(rule) \(timesteps) \(sensor)"
    text += " \(recordings.classes)\n"
    for file in recordings.files {
      var status = stat()
      guard stat(file.path, &status) == 0 else { throw .notFound(path: file.path) }
      progress()
      text += "\(file.path.dropFirst(recordings.location.count)) \(status.st_size)"
      text += " \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
      text += file.windows == RecordingList.wholeFile ? "\n" : " \(file.windows)\n"
    }
    return checksum(text.utf8) ^ checksum(recordings.labels.map { UInt8(truncatingIfNeeded: $0) })
  }

  private func make(
    _ path: String, key: UInt64, threads: Int, progress: @escaping @Sendable () -> Void,
    report: @escaping @Sendable (String) -> Void
  ) throws(DatasetError) {
    let count = recordings.labels.count
    report("making frames of \(count) recordings of \(recordings.location) for \(path)")
    let writer = try FrameFileWriter(
      path: path,
      header: .init(key: key, samples: count, timesteps: timesteps, sensor: sensor))
    let queue = FileQueue(recordings, reportInterval: reportInterval)
    let workers = (0..<min(threads, recordings.files.count)).map { _ in
      WorkerThread { [self] in
        let maker = FrameMaker(
          recordings: recordings, rule: rule, timesteps: timesteps, sensor: sensor)
        while !writer.hasFailed, let file = queue.next() {
          do throws(DatasetError) {
            try maker.makeFrames(of: recordings.files[file], for: writer)
            progress()
            if let status = queue.finish(file) { report(status) }
          } catch {
            writer.fail(error)
          }
        }
      }
    }
    for worker in workers { worker.join() }
    try writer.finish()
    report("made the frames in \(Int(queue.seconds.rounded(.up))) s, \(queue.rate) a second")
  }
}

/// Numbers files for several threads, and counts what is done.
private final class FileQueue: @unchecked Sendable {
  private let recordings: RecordingList
  private let reportInterval: Duration
  private let start = ContinuousClock.now
  private let lock = NSLock()
  // Guarded by `lock`.
  private var taken = 0
  private var done = 0
  private var lastReport = ContinuousClock.now

  init(_ recordings: RecordingList, reportInterval: Duration) {
    (self.recordings, self.reportInterval) = (recordings, reportInterval)
  }

  func next() -> Int? {
    lock.withLock {
      guard taken < recordings.files.count else { return nil }
      taken += 1
      return taken - 1
    }
  }

  /// Notes that a file is done. Returns how far the work is, if it is time to say so.
  func finish(_ file: Int) -> String? {
    lock.withLock {
      done += recordings.files[file].windows.count
      guard ContinuousClock.now - lastReport >= reportInterval else { return nil }
      lastReport = .now
      return "made frames of \(done) of \(recordings.labels.count) recordings, \(rate) a second"
    }
  }

  var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

  /// Recordings a second.
  var rate: Int { Int(Double(done) / seconds) }
}
