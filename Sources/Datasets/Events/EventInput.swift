import Tensors

/// Recordings as network inputs, one frame a time step.
public struct EventInput: SampleInput {
  private let source: any FrameSource
  private let transform: EventTransform

  public init(_ source: any FrameSource, _ transform: EventTransform) {
    self.source = source
    self.transform = transform
  }

  public var count: Int { source.count }
  public var timesteps: Int { source.timesteps }
  public var imageSize: Int { transform.imageSize }
  public var frameCount: Int { transform.imageSize * transform.imageSize * 2 }

  public func makeReader(seed: UInt64) -> any SampleReader {
    EventReader(source: source, transform: transform, seed: seed)
  }
}

/// Reads and transforms the frames of single recordings.
private final class EventReader: SampleReader {
  private let source: any FrameSource
  private let frameReader: any FrameReader
  private let transform: EventTransform
  private let seed: UInt64
  private var sensor: Sensor?
  /// Where frames of the sensor have another size than wanted.
  private var resampler: FrameResampler?
  private var frames: [Float] = []
  private var resized: [Float]

  init(source: any FrameSource, transform: EventTransform, seed: UInt64) {
    self.source = source
    self.transform = transform
    self.seed = seed
    frameReader = source.makeFrameReader()
    resized = Array(repeating: 0, count: transform.imageSize * transform.imageSize * 2)
  }

  func read(_ sample: Int, epoch: Int, into place: SamplePlace) throws(DatasetError) {
    let sensor = try frameReader.read(sample, into: &frames)
    adapt(to: sensor)
    var random = RandomStream(seed: seed, purpose: .augmentation, time: epoch, index: sample)
    let placement = transform.placement(&random)
    let timesteps = source.timesteps
    var maximum: Float = 0
    frames.withUnsafeBufferPointer { frames in
      for timestep in 0..<timesteps {
        let frame = frames.baseAddress! + timestep * sensor.frameCount
        let output = place.frame(timestep)
        if resampler == nil {
          transform.place(frame, placement, output: output)
        } else {
          resampler!.resize(frame, into: &resized)
          resized.withUnsafeBufferPointer {
            transform.place($0.baseAddress!, placement, output: output)
          }
        }
        maximum = max(maximum, output.reduce(0) { max($0, $1) })
      }
    }
    let scale = transform.scale(maximum: maximum)
    if scale != 1 {
      for timestep in 0..<timesteps {
        let output = place.frame(timestep)
        for index in output.indices { output[index] *= scale }
      }
    }
    place.setLabel(source.labels[sample])
  }
  private func adapt(to sensor: Sensor) {
    guard sensor != self.sensor else { return }
    self.sensor = sensor
    let size = transform.imageSize
    let isFitting = sensor == Sensor(width: size, height: size)
    resampler = isFitting ? nil : FrameResampler(from: sensor, to: size)
  }
}
