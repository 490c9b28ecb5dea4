import Foundation

/// The recordings of one split as frames: `[T, H, W, 2]` counts of events.
public struct EventFrames: FrameSource {
  public var location: String { recordings.location }
  public var classes: [String] { recordings.classes }
  public var labels: [Int32] { recordings.labels }
  /// The directory of which each directory is a class; `nil` where tables tell the classes.
  public var classDirectory: String? { recordings.classDirectory }
  private let recordings: RecordingList
  let file: FrameFile

  /// Opens a split. The frames are made at the first time, and stored.
  ///
  /// - Parameters:
  ///   - convention: whose reading of recordings counts where there are several.
  ///   - timesteps: frames of a sample; the number of the rule, if that has one.
  ///   - threads: that make the frames.
  ///   - progress: is called whenever that work gets on.
  ///   - report: is told about work that takes time, and how far it is.
  public init(
    _ format: EventFormat, _ convention: EventConvention = .spikingJelly, path: String,
    split: EventSplit, rule: FrameRule, timesteps: Int,
    threads: Int = ProcessInfo.processInfo.activeProcessorCount,
    progress: @escaping @Sendable () -> Void = {},
    report: @escaping @Sendable (String) -> Void = { _ in }
  ) throws(DatasetError) {
    if case .number(let number, _) = rule {
      precondition(number == timesteps, "as many frames as time steps")
    }
    recordings = try RecordingList(format, convention, path: path, split: split, rule: rule)
    var sensor = format.sensor
    if sensor == nil { sensor = try Self.sensor(ofStoredFrames: recordings.files[0].path) }
    // Frames of both conventions can be kept side by side.
    let isUsual = recordings.convention == .spikingJelly
    let reading = format.rawValue + (isUsual ? "" : "-" + convention.rawValue)
    let cache = FrameCache(
      recordings: recordings, rule: rule, timesteps: timesteps, sensor: sensor!,
      name: "\(reading)-\(split.rawValue)-\(rule.directoryName)-\(timesteps).frames",
      directories: DerivedFile.directories(beside: path))
    file = try cache.open(threads: threads, progress: progress, report: report)
  }

  /// The class names of a split, of which no frames are made.
  public static func classes(
    _ format: EventFormat, _ convention: EventConvention, path: String, split: EventSplit,
    rule: FrameRule
  ) throws(DatasetError) -> [String] {
    try RecordingList(format, convention, path: path, split: split, rule: rule).classes
  }

  static func sensor(ofStoredFrames path: String) throws(DatasetError) -> Sensor {
    var bytes: [UInt8] = []
    let shape = try readFrames(ofArchive: path, bytes: &bytes).shape
    guard shape.count == 4, shape[1] == 2, shape[2...].allSatisfy({ (1...4096).contains($0) })
    else {
      throw .malformed(sample: path, reason: "its frames are \(shape), not [T, 2, H, W]")
    }
    return Sensor(width: shape[3], height: shape[2])
  }

  public var timesteps: Int { file.header.timesteps }

  public func makeFrameReader() -> any FrameReader { StoredFrameReader(self) }

  public func name(of index: Int) -> String { recordings.name(of: index) }

  public var listingHash: UInt64 { recordings.listingHash }
}

/// Reads stored frames.
private final class StoredFrameReader: FrameReader {
  private let source: EventFrames
  private var bytes: [UInt8] = []

  init(_ source: EventFrames) { self.source = source }

  func read(_ sample: Int, into frames: inout [Float]) throws(DatasetError) -> Sensor {
    try source.file.read(sample, name: source.name(of: sample), bytes: &bytes, frames: &frames)
    return source.file.header.sensor
  }
}
