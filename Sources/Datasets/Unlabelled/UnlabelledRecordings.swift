import Foundation
import Support

/// Of files with recorded events.
let recordingEndings: Set<String> = ["bin", "aedat", "npz"]

/// Recordings of events without labels, of any cameras, whose frames are made when they are read: files
/// `.bin` (N-MNIST), `.aedat` (2.0 and 3.1) and `.npz` (SpikingJelly's frames).
public struct UnlabelledRecordings: UnlabelledSource, FrameSource {
  fileprivate struct Sample {
    let path: String
    /// When it begins and ends, microseconds.
    let window: Range<Int64>
    let name: String
  }

  public let timesteps: Int
  fileprivate let convention: EventConvention
  fileprivate let rule: FrameRule
  fileprivate var samples: [Sample] = []
  public private(set) var labels: [Int32] = []

  /// - Parameters:
  ///   - convention: whose reading of AEDAT 2.0 counts.
  ///   - timesteps: frames of a sample; the number of the rule, if that has one.
  public init(_ convention: EventConvention, rule: FrameRule, timesteps: Int) {
    (self.convention, self.rule, self.timesteps) = (convention, rule, timesteps)
  }

  /// Of a file with a table of labels beside it, as DVS128-Gesture has, each row is a sample.
  public mutating func add(_ path: RawPath) throws(DatasetError) {
    guard try onFiles(FileStatus(of: path).isDirectory) else {
      if isArchiveName(path) { throw .otherForm(path: "\(path)", .packedRecordings) }
      return try append("\(path)")
    }
    let found = try wantedFiles(
      in: FileSystemDirectory(path: path), location: path, expected: ".bin, .aedat or .npz",
      remedy: { $0.contains("tar") ? "Unpack its archives first." : "Name others." }
    ) { fileNameEnding($0).map(recordingEndings.contains) == true }
    var longer = self
    for name in found.files + found.unreachable.map(\.path) {
      try longer.append("\(path.appending(name.bytes))")
    }
    self = longer
  }

  private mutating func append(_ path: String) throws(DatasetError) {
    let windows = try gestureWindows(beside: path) ?? RecordingList.wholeFile
    for (number, window) in windows.enumerated() {
      let name = windows == RecordingList.wholeFile ? path : "\(path), sample \(number + 1)"
      samples.append(Sample(path: path, window: window, name: name))
      labels.append(0)
    }
  }

  public func name(of index: Int) -> String { samples[index].name }

  public func makeFrameReader() -> any FrameReader { RecordingReader(self) }
}

/// The samples of a recording of DVS128-Gesture, by the table of labels beside it; nil where there is none.
private func gestureWindows(beside path: String) throws(DatasetError) -> [Range<Int64>]? {
  guard path.hasSuffix(".aedat") else { return nil }
  let table = gestureTable(ofRecording: path)
  guard FileManager.default.fileExists(atPath: table) else { return nil }
  return try gestureLabels(ofFile: table).map(\.window)
}

extension EventFormat {
  /// The format of a recording, by its ending, and of AEDAT by its version.
  fileprivate init(ofRecording path: String) throws(DatasetError) {
    switch fileNameEnding(path.utf8) {
    case "bin": self = .nmnist
    case "npz": self = .frames
    case "aedat":
      var start: [UInt8] = []
      let file = try onFiles(RandomAccessFile(path: path))
      let mark = "#!AER-DAT3"
      try onFiles(file.read(0..<min(mark.utf8.count, file.size), into: &start))
      self = start == Array(mark.utf8) ? .dvsGesture : .cifar10DVS
    default:
      throw .malformed(
        sample: path, reason: "it is no recording of events: those end in .bin, .aedat or .npz")
    }
  }
}

/// Makes frames of recordings: of all samples of a file at once, which it reads only then.
private final class RecordingReader: FrameReader {
  private let source: UnlabelledRecordings
  /// The samples of the latest file.
  private var samples = 0..<0
  private var sensor: Sensor?
  private var frames: [Result<[Float], RecordingFailure>] = []

  init(_ source: UnlabelledRecordings) { self.source = source }

  func read(_ sample: Int, into frames: inout [Float]) throws(DatasetError) -> Sensor {
    if !samples.contains(sample) { try readFile(of: sample) }
    switch self.frames[sample - samples.lowerBound] {
    case .success(let made): frames = made
    case .failure(let failure):
      throw .malformed(sample: source.name(of: sample), reason: failure.reason)
    }
    return sensor!
  }

  private func readFile(of sample: Int) throws(DatasetError) {
    let path = source.samples[sample].path
    let format = try EventFormat(ofRecording: path)
    func isOther(_ sample: Int) -> Bool { source.samples[sample].path != path }
    let all = source.samples.indices
    let first = all[..<sample].last(where: isOther).map { $0 + 1 } ?? 0
    let end = all[sample...].first(where: isOther) ?? all.upperBound
    // Stored frames are those of one sample.
    let group = format == .frames ? sample..<sample + 1 : first..<end
    samples = 0..<0
    if let camera = format.sensor {
      sensor = camera
    } else {
      let shape = try EventFrames.shape(ofStoredFrames: path)
      sensor = Sensor(width: shape[3], height: shape[2])
    }
    let maker = FrameMaker(
      format, source.convention, rule: source.rule, timesteps: source.timesteps, sensor: sensor!)
    frames.removeAll()
    try maker.makeFrames(of: path, windows: source.samples[group].map(\.window)) {
      frames.append($1)
    }
    samples = group
  }
}
