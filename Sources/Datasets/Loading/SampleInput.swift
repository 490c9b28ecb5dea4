/// A split as the network sees it: its samples, and how each becomes one frame (an image) or one for
/// every time step (a recording of events). This is what a `DataLoader` delivers.
public protocol SampleInput: Sendable {
  /// The number of samples.
  var count: Int { get }
  /// Frames of a sample; 1 for images.
  var timesteps: Int { get }
  /// Height and width of a frame.
  var imageSize: Int { get }
  /// Floats of a frame `[H, W, C]`.
  var frameCount: Int { get }
  /// The samples, the given one among them, of which one may take its place if it cannot be read.
  func substitutes(for index: Int) -> Range<Int>
  /// A reader for one thread.
  /// - Parameter seed: for random choices.
  func makeReader(seed: UInt64) -> any SampleReader
}

extension SampleInput {
  public func substitutes(for index: Int) -> Range<Int> { 0..<count }
}

/// Reads single samples. One thread has one reader, which reuses its memory from sample to sample.
public protocol SampleReader: AnyObject {
  /// Puts a sample and its label where they belong in a batch.
  func read(_ sample: Int, epoch: Int, into place: SamplePlace) throws(DatasetError)
}

/// The place of one sample in the memory of a batch.
public struct SamplePlace: Sendable {
  let storage: BatchStorage
  /// The sample's position among the `count` of its batch; or `count`, for the partner with which the
  /// first sample is to be mixed.
  let position: Int
  let count: Int

  /// The memory of the sample's frame `[H, W, C]` at a time step.
  ///
  /// A batch holds the samples of a time step together, `[T, N, H, W, C]`.
  public func frame(_ timestep: Int = 0) -> UnsafeMutableBufferPointer<Float> {
    let index =
      position < count ? timestep * count + position : storage.timesteps * count + timestep
    let start = index * storage.frameCount
    return UnsafeMutableBufferPointer(
      rebasing: storage.frames[start..<start + storage.frameCount])
  }

  /// Sets the sample's label.
  public func setLabel(_ label: Int32) {
    storage.labels[position] = label
  }
}
