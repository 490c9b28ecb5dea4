import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Datasets

/// What was reported, from any thread.
private final class Reports: @unchecked Sendable {
  private let lock = NSLock()
  private var texts: [String] = []
  func add(_ text: String) { lock.withLock { texts.append(text) } }
  /// Everything since the last call.
  func take() -> [String] {
    lock.withLock {
      defer { texts = [] }
      return texts
    }
  }
  /// How often frames were made since the last call.
  func takeCount() -> Int { take().count { $0.hasPrefix("making") } }
}

struct EventFramesTests {
  private let directory: TemporaryDirectory
  private let reports = Reports()

  init() throws {
    directory = try TemporaryDirectory()
    for split in ["Train", "Test"] {
      for digit in 0..<3 {
        for number in 0..<4 {
          let pixels = EventFixture.pixels(count: 100 + digit, size: 34, seed: 10 * digit + number)
          try directory.write(EventFixture.atis(pixels), to: "\(split)/\(digit)/\(number).bin")
        }
      }
    }
  }

  private func open(_ rule: FrameRule = .number(5, by: .number), timesteps: Int = 5) throws
    -> EventFrames
  {
    try EventFrames(
      .nmnist, path: directory.path, split: .training, rule: rule, timesteps: timesteps,
      threads: 3, report: reports.add)
  }

  private func frames(_ source: EventFrames, _ sample: Int) throws -> [Float] {
    var (bytes, frames): ([UInt8], [Float]) = ([], [])
    try source.file.read(
      sample, name: source.name(of: sample), bytes: &bytes, frames: &frames)
    return frames
  }

  private var cache: URL {
    directory.url.appendingPathComponent(
      ".sltt-dist/nmnist-train-frames_number_5_split_by_number-5.frames")
  }

  @Test func framesCountTheEvents() throws {
    let source = try open()
    for (sample, (digit, number)) in [(0, (0, 0)), (7, (1, 3)), (11, (2, 3))] {
      var expected = [Float](repeating: 0, count: 5 * 34 * 34 * 2)
      let pixels = EventFixture.pixels(count: 100 + digit, size: 34, seed: 10 * digit + number)
      for (index, pixel) in pixels.enumerated() {
        let frame = min(index / 20, 4)
        expected[((frame * 34 + pixel.y) * 34 + pixel.x) * 2 + pixel.polarity] += 1
      }
      #expect(try frames(source, sample) == expected)
      #expect(source.labels[sample] == digit)
    }
  }

  @Test func framesAreMadeOnceUntilSomethingChanges() throws {
    let first = try frames(open(), 3)
    #expect(reports.takeCount() == 1)
    #expect(try frames(open(), 3) == first)
    #expect(reports.takeCount() == 0)

    _ = try open(.number(5, by: .time))
    #expect(reports.takeCount() == 1)
    _ = try open(.duration(2000))
    #expect(reports.takeCount() == 1)
    _ = try open()
    #expect(reports.takeCount() == 0)

    try directory.write(
      EventFixture.atis(EventFixture.pixels(count: 50, size: 34)), to: "Train/0/3.bin")
    #expect(try frames(open(), 3) != first)
    #expect(reports.takeCount() == 1)
    try directory.write(
      EventFixture.atis(EventFixture.pixels(count: 9, size: 34)), to: "Train/2/9.bin")
    #expect(try open().count == 13)
    #expect(reports.takeCount() == 1)
  }

  @Test func framesOfTwoConventionsAreKeptSideBySide() throws {
    let pixels = EventFixture.pixels(count: 50, size: 128)
    for number in 0..<2 {
      try directory.write(EventFixture.aedat2(pixels), to: "dvs/cat/cat_\(number).aedat")
    }
    func frames(_ convention: EventConvention) throws -> [Float] {
      try self.frames(
        EventFrames(
          .cifar10DVS, convention, path: directory.file("dvs"), split: .training,
          rule: .number(1, by: .number), timesteps: 1, report: reports.add), 0)
    }
    let first = try EventConvention.allCases.map(frames)
    #expect(first[0] != first[1] && reports.takeCount() == 2)
    #expect(try EventConvention.allCases.map(frames) == first && reports.takeCount() == 0)
  }

  @Test func aDamagedFileIsMadeAgainOrNamed() throws {
    let first = try frames(open(), 0)
    var bytes = [UInt8](try Data(contentsOf: cache))
    var changedTable = bytes
    changedTable[bytes.count - 9] ^= 1
    let short = Array(bytes.dropLast())
    for damage in [short, Array(short[..<30]), [], changedTable] {
      try Data(damage).write(to: cache)
      #expect(try frames(open(), 0) == first)
    }
    #expect(reports.takeCount() == 5)

    for position in 64..<bytes.count - 24 * 12 { bytes[position] ^= 1 }
    try Data(bytes).write(to: cache)
    let source = try open()
    let error = #expect(throws: DatasetError.self) { try frames(source, 0) }
    #expect(error?.description.contains(cache.lastPathComponent) == true)
  }

  @Test func severalAtOnceMakeOneFile() async throws {
    let expected = try frames(open(), 5)
    try FileManager.default.removeItem(at: cache)
    _ = reports.takeCount()
    let results = try await withThrowingTaskGroup(of: [Float].self) { group in
      for _ in 0..<4 { group.addTask { try frames(open(), 5) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(results == Array(repeating: expected, count: 4))
    #expect(reports.takeCount() == 1)
    let files = try FileManager.default.contentsOfDirectory(
      atPath: cache.deletingLastPathComponent().path)
    #expect(files.count == 2)  // The frames and their lock.
  }

  @Test func aReadOnlyDirectoryHasItsFramesElsewhere() throws {
    let data = directory.path + "/data"
    let home = directory.path + "/home"
    try directory.write(
      EventFixture.atis(EventFixture.pixels(count: 9, size: 34)), to: "data/Train/0/a.bin")
    try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: data)
    defer {
      try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: data)
    }
    let rule = FrameRule.number(2, by: .number)
    let directories = DerivedFile.directories(beside: data, environment: ["XDG_CACHE_HOME": home])
    let cache = try FrameCache(
      recordings: RecordingList(.nmnist, path: data, split: .training, rule: rule), rule: rule,
      timesteps: 2, sensor: Sensor(width: 34, height: 34), name: "frames", directories: directories)
    #expect(try cache.open(threads: 1, progress: {}, report: reports.add).path.hasPrefix(home))
    #expect(try cache.open(threads: 1, progress: {}, report: reports.add).path.hasPrefix(home))
    #expect(reports.takeCount() == 1)
    let nowhere = FrameCache(
      recordings: cache.recordings, rule: rule, timesteps: 2, sensor: cache.sensor, name: "frames",
      directories: DerivedFile.directories(beside: data, environment: [:]))
    #expect(throws: DatasetError.self) {
      try nowhere.open(threads: 1, progress: {}, report: reports.add)
    }
  }

  private func cacheOfTwoFrames() throws -> FrameCache {
    let rule = FrameRule.number(2, by: .number)
    return FrameCache(
      recordings: try RecordingList(.nmnist, path: directory.path, split: .training, rule: rule),
      rule: rule, timesteps: 2, sensor: Sensor(width: 34, height: 34), name: "two.frames",
      directories: [directory.file("cache")])
  }

  @Test func progressIsSeenWithEveryRecording() throws {
    var cache = try cacheOfTwoFrames()
    cache.reportInterval = .zero
    let signs = Mutex(0)
    _ = try cache.open(
      threads: 2, progress: { signs.withLock { $0 += 1 } }, report: reports.add)
    // Each is looked at for the key, too, and in the end the file gets to the disk.
    #expect(signs.withLock { $0 } == 2 * 12 + 1)
    let lines = reports.take()
    #expect(lines.count == 14 && lines[0].hasPrefix("making frames of 12 recordings of "))
    #expect(lines.contains { $0.hasPrefix("made frames of 12 of 12 recordings, ") })
  }

  /// A killed process leaves its file behind; one that lives holds the lock.
  @Test func filesOfKilledMakersAreRemoved() throws {
    let cache = try cacheOfTwoFrames()
    let remains = [
      "cache/two.frames.\(UUID().uuidString).partial", "cache/two.frames.\(UUID().uuidString)",
    ]
    let others = [
      "cache/three.frames.\(UUID().uuidString).partial", "cache/two.frames.old",
    ]
    for name in remains + others { try directory.write("x", to: name) }
    _ = try cache.open(threads: 1, progress: {}, report: reports.add)
    let files = try FileManager.default.contentsOfDirectory(atPath: directory.file("cache"))
    #expect(
      Set(files.map { "cache/" + $0 })
        == Set(others + ["cache/two.frames", "cache/two.frames.lock"]))
  }

  /// Whoever waits for a maker gets on as long as the maker's file grows.
  @Test(.timeLimit(.minutes(1))) func waitingForAMakerSeesItsProgress() async throws {
    let cache = try cacheOfTwoFrames()
    let partial = "cache/two.frames.\(UUID().uuidString).partial"
    try directory.write("", to: "cache/two.frames.lock")
    let lock = Foundation.open(directory.file("cache/two.frames.lock"), O_RDWR)
    #expect(flock(lock, LOCK_EX) == 0)
    let signs = Mutex(0)
    let keyed = 12
    let opened = Mutex<Result<Bool, any Error>?>(nil)
    Thread {
      let result = Result {
        _ = try cache.open(
          threads: 1, progress: { signs.withLock { $0 += 1 } }, report: reports.add)
        return true
      }
      opened.withLock { $0 = result }
    }.start()
    func wait(until condition: () -> Bool) async throws {
      while !condition() { try await Task.sleep(for: .milliseconds(1)) }
    }
    try await wait { signs.withLock { $0 } >= keyed }
    for size in 1...3 {
      // Larger than what the waiting thread may have seen.
      try directory.write([UInt8](repeating: 0, count: size), to: partial)
      try await wait { signs.withLock { $0 } >= keyed + size }
    }
    #expect(signs.withLock { $0 } == keyed + 3)
    close(lock)
    try await wait { opened.withLock { $0 } != nil }
    #expect(try opened.withLock { $0 }?.get() == true)
    #expect(signs.withLock { $0 } == keyed + 3 + 12 + 1)
    #expect(!FileManager.default.fileExists(atPath: directory.file(partial)))
  }

  @Test func aBadRecordingIsAnErrorOfItsSample() throws {
    try directory.write([1, 2, 3], to: "Train/1/1.bin")
    try directory.write([], to: "Train/1/2.bin")
    let source = try open()
    let error = #expect(throws: DatasetError.self) { try frames(source, 5) }
    #expect(error?.description.contains("1/1.bin: is malformed: at byte 0") == true)
    #expect(throws: DatasetError.self) { try frames(source, 6) }
    #expect(try frames(source, 4).reduce(0, +) == 101)
  }

  @Test func largeAndBrokenCountsAreStoredExactly() throws {
    for values in [[0, 255], [0, 256, 65_535], [65_536, 1], [0.5, 2], [-1, 3]] as [[Float]] {
      var (bytes, decoded): ([UInt8], [Float]) = ([], Array(repeating: 9, count: values.count))
      let encoding = FrameEncoding(for: values)
      encoding.append(values, to: &bytes)
      encoding.decode(bytes, into: &decoded)
      #expect(decoded == values)
    }
    #expect(FrameEncoding(for: [0, 255]) == .uint8)
    #expect(FrameEncoding(for: [256]) == .uint16)
  }

  @Test func storedFramesAndGestures() throws {
    let other = try TemporaryDirectory()
    // [T, 2, H, W] = [2, 2, 1, 3]
    let values: [Double] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11.5]
    let array = EventFixture.npy([2, 2, 1, 3], "<f8", values.flatMap(EventFixture.bytes))
    for split in ["train", "test"] {
      try other.write(EventFixture.zip("frames.npy", array), to: "\(split)/a/1.npz")
      try other.write(
        EventFixture.zip("frames.npy", EventFixture.npy([1], "|u1", [0])), to: "\(split)/b/2.npz")
    }
    let source = try EventFrames(
      .frames, path: other.path, split: .validation, rule: .number(2, by: .number), timesteps: 2)
    #expect(try frames(source, 0) == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11.5])
    #expect(throws: DatasetError.self) { try frames(source, 1) }

    let pixels = EventFixture.pixels(count: 100, size: 128, step: 10, start: 0)
    for trial in ["trials_to_train.txt", "trials_to_test.txt"] {
      try other.write("a.aedat", to: trial)
    }
    try other.write(EventFixture.aedat3Header + EventFixture.packet(pixels), to: "a.aedat")
    try other.write("class,start,end\n3,0,500\n4,500,1000\n5,2000,3000\n", to: "a_labels.csv")
    let gestures = try EventFrames(
      .dvsGesture, path: other.path, split: .training, rule: .number(3, by: .time), timesteps: 3)
    #expect(gestures.labels == [3, 4, 5])
    #expect(try frames(gestures, 0).reduce(0, +) == 50)
    #expect(try frames(gestures, 0) != frames(gestures, 1))
    #expect(throws: DatasetError.self) { try frames(gestures, 2) }
  }

  /// A network trained on SpikingJelly's frames finds the same labels and frames in the recordings.
  @Test func gesturesAreLabelledAsSpikingJellyDoes() throws {
    let other = try TemporaryDirectory()
    var packets: [UInt8] = []
    var table = "class,startTime_usec,endTime_usec\n"
    for gesture in 1...11 {
      let pixels = EventFixture.pixels(
        count: 20, size: 128, start: Int64(gesture) * 10_000, seed: gesture)
      packets += EventFixture.packet(pixels)
      table += "\(gesture),\(gesture * 10_000),\(gesture * 10_000 + 9000)\n"
      var frame = [UInt8](repeating: 0, count: 2 * 128 * 128)
      for pixel in pixels { frame[(pixel.polarity * 128 + pixel.y) * 128 + pixel.x] += 1 }
      for split in ["train", "test"] {
        try other.write(
          EventFixture.zip("frames.npy", EventFixture.npy([1, 2, 128, 128], "|u1", frame)),
          to: "frames/\(split)/\(gesture - 1)/user01_lab_0.npz")
      }
    }
    for trial in ["trials_to_train.txt", "trials_to_test.txt"] {
      try other.write("user01_lab.aedat\n", to: "DvsGesture/\(trial)")
    }
    try other.write(EventFixture.aedat3Header + packets, to: "DvsGesture/user01_lab.aedat")
    try other.write(table, to: "DvsGesture/user01_lab_labels.csv")
    let (raw, stored) = try (
      EventFrames(
        .dvsGesture, path: other.file("DvsGesture"), split: .training,
        rule: .number(1, by: .number), timesteps: 1),
      EventFrames(
        .frames, path: other.file("frames"), split: .training, rule: .number(1, by: .number),
        timesteps: 1)
    )
    #expect(raw.classes == stored.classes)
    #expect(Set(raw.labels) == Set(0..<11))
    for sample in 0..<11 {
      let same = try #require(stored.labels.firstIndex(of: raw.labels[sample]))
      #expect(try frames(raw, sample) == frames(stored, same))
    }
  }
}
