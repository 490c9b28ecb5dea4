import Foundation
import Support

/// Finds the stored frames of a split, or makes and stores them.
struct FrameCache {
  let recordings: RecordingList
  let rule: FrameRule
  let timesteps: Int
  let sensor: Sensor
  let file: DerivedFile
  /// At least so long is between two reports of how far the work is.
  var reportInterval = Duration.seconds(5)

  /// - Parameters:
  ///   - name: names the split and the rule.
  ///   - directories: where the file may be.
  init(
    recordings: RecordingList, rule: FrameRule, timesteps: Int, sensor: Sensor, name: String,
    directories: [String]
  ) {
    (self.recordings, self.rule, self.timesteps) = (recordings, rule, timesteps)
    self.sensor = sensor
    file = DerivedFile(
      name, content: "the frames of the recordings", directories: directories)
  }

  /// - Parameters:
  ///   - progress: is called whenever the work gets on, also that of another process that this one waits
  ///     for.
  ///   - report: is told about work that takes time, and how far it is.
  func open(
    threads: Int, progress: @escaping @Sendable () -> Void,
    report: @escaping @Sendable (String) -> Void
  ) throws(DatasetError) -> FrameFile {
    let key = try self.key(progress: progress)
    return try file.open(
      load: { FrameFile(path: $0, key: key) }, progress: progress,
      make: { path throws(DatasetError) in
        try make(path, key: key, threads: threads, progress: progress, report: report)
      })
  }

  /// Stands for the recordings, as far as names, sizes and times of change show them, and for all
  /// that decides what becomes of them.
  private func key(progress: () -> Void) throws(DatasetError) -> UInt64 {
    // The number changes when other frames are made of the same recordings.
    var text = "3 \(recordings.format) \(recordings.convention) \(rule) \(timesteps) \(sensor)"
    text += " \(recordings.classes)\n"
    for file in recordings.files {
      var status = stat()
      guard stat(file.path, &status) == 0 else { throw .notFound(path: file.path) }
      progress()
      text += "\(file.path.dropFirst(recordings.location.count)) \(status.st_size)"
      text += " \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
      text += file.windows == RecordingList.wholeFile ? "\n" : " \(file.windows)\n"
    }
    text += "\(recordings.labels)"
    return XXHash64.hash(Array(text.utf8))
  }

  private func make(
    _ path: String, key: UInt64, threads: Int, progress: @escaping @Sendable () -> Void,
    report: @escaping @Sendable (String) -> Void
  ) throws(DatasetError) {
    let count = recordings.labels.count
    report(
      "making frames of \(Format.counted(count, "recording")) of \(recordings.location)"
        + " for \(path)")
    let writer = try FrameFileWriter(
      path: path,
      header: .init(key: key, samples: count, timesteps: timesteps, sensor: sensor))
    let queue = FileQueue(recordings, reportInterval: reportInterval)
    let workers = (0..<min(threads, recordings.files.count)).map { _ in
      WorkerThread { [self] in
        let maker = FrameMaker(
          recordings.format, recordings.convention, rule: rule, timesteps: timesteps,
          sensor: sensor)
        while !writer.hasFailed, let file = queue.next() {
          do throws(DatasetError) {
            let recording = recordings.files[file]
            try maker.makeFrames(of: recording.path, windows: recording.windows) {
              writer.write($1, of: recording.firstSample + $0)
            }
            progress()
            if let status = queue.finish(file) { report(status) }
          } catch {
            writer.fail(error)
          }
        }
      }
    }
    for worker in workers { worker.join() }
    try writer.finish(progress: progress)
    report(
      "made the frames in \(Format.duration(queue.seconds)), \(Format.count(queue.rate)) a second")
  }
}

/// Numbers files for several threads, and counts what is done.
private final class FileQueue: @unchecked Sendable {
  private let recordings: RecordingList
  private let start = ContinuousClock.now
  private let lock = NSLock()
  // Guarded by `lock`.
  private var taken = 0
  private var done = 0
  private var reports: Pacing

  init(_ recordings: RecordingList, reportInterval: Duration) {
    self.recordings = recordings
    reports = Pacing(every: reportInterval)
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
      guard reports.isDue else { return nil }
      let all = Format.counted(recordings.labels.count, "recording")
      return "made frames of \(done) of \(all), \(rate) a second"
    }
  }

  var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

  /// Recordings a second.
  var rate: Int { Int(Double(done) / seconds) }
}
