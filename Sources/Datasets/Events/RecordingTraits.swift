/// What the recordings of a data set are like.
public struct RecordingTraits: Equatable, Sendable {
  public let format: EventFormat
  /// Of the camera, in pixels.
  public let width: Int
  public let height: Int
  /// The frames of a recording, and the rule by which they were made, where frames are stored.
  public let frames: Int?
  public let rule: FrameRule?

  public init(
    _ format: EventFormat, width: Int, height: Int, frames: Int? = nil, rule: FrameRule? = nil
  ) {
    (self.format, self.width, self.height) = (format, width, height)
    (self.frames, self.rule) = (frames, rule)
  }

  /// Looks at the first recording of what is at `path`.
  ///
  /// - Parameter rule: by which stored frames are wanted; nil: by that of the first directory of them.
  public init(
    _ format: EventFormat, path: String, rule: FrameRule? = nil
  ) throws(DatasetError) {
    if let sensor = format.sensor {
      self.init(format, width: sensor.width, height: sensor.height)
      return
    }
    let directories = try subdirectories(of: path)
    let rule = rule ?? directories.lazy.compactMap { FrameRule(directoryName: $0) }.first
    // Without such directories the rule makes no difference.
    let recordings = try RecordingList(
      format, path: path, split: .training, rule: rule ?? .number(1, by: .number))
    let shape = try EventFrames.shape(ofStoredFrames: recordings.files[0].path)
    self.init(format, width: shape[3], height: shape[2], frames: shape[0], rule: rule)
  }
}

extension RecordingTraits: CustomStringConvertible {
  public var description: String {
    "recordings of events, \(width)x\(height) pixels"
      + (frames.map { ", stored as \($0) frames" } ?? "")
  }
}
