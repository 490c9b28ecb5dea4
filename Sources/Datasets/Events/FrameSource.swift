/// Recordings of events, as frames `[T, H, W, 2]`.
public protocol FrameSource: SampleSource {
  /// T, frames of a sample.
  var timesteps: Int { get }
  /// A reader for one thread.
  func makeFrameReader() -> any FrameReader
}

/// Gives the frames of single recordings.
public protocol FrameReader: AnyObject {
  /// Replaces `frames` by those of a sample.
  ///
  /// - Returns: the camera, whose pixels they have.
  func read(_ sample: Int, into frames: inout [Float]) throws(DatasetError) -> Sensor
}
