import Tensors

/// The input of a batch: one frame for all time steps (an image) or one for each (an event recording).
public struct FrameSequence: ~Copyable {
  private let frames: Tensor
  /// Whether all time steps have the same frame.
  let isStatic: Bool
  /// Samples from the first one of a time step to that of the next.
  private let stride: Int
  private let range: Range<Int>

  /// - Parameters:
  ///   - frame: [N, H, W, C], shown at every time step.
  ///   - range: the samples that count; all by default.
  public init(static frame: consuming Tensor, samples range: Range<Int>? = nil) {
    let all = 0..<frame.shape.n
    stride = 0
    self.range = range ?? all
    isStatic = true
    frames = frame
  }

  /// - Parameters:
  ///   - frames: [T * N, H, W, C], the N samples of a time step after those of the one before.
  ///   - range: the samples of each time step that count; all by default.
  public init(_ frames: consuming Tensor, timesteps: Int, samples range: Range<Int>? = nil) {
    precondition(frames.shape.n % timesteps == 0)
    let all = 0..<frames.shape.n / timesteps
    stride = all.count
    self.range = range ?? all
    isStatic = false
    self.frames = frames
  }

  /// Local samples.
  public var samples: Int { range.count }

  /// Calls `body` with the mean of the frames of all time steps.
  func withMean(timesteps: Int, in arena: Arena, _ body: (borrowing Tensor) -> Void) {
    guard !isStatic else { return withFrame(at: 0, body) }
    var mean = withFrame(at: 0) { $0.copy(in: arena) }
    for t in 1..<timesteps { withFrame(at: t) { mean.add($0) } }
    mean.scale(by: 1 / Float(timesteps))
    body(mean)
  }

  /// Calls `body` with the frame [N, H, W, C] of time step `t`.
  func withFrame<Result: ~Copyable>(at t: Int, _ body: (borrowing Tensor) -> Result) -> Result {
    frames.withSamples(from: t * stride + range.lowerBound, count: range.count, body)
  }
}
