import Support

/// Reads recordings and makes their frames; serves one thread, and reuses its memory.
final class FrameMaker {
  private let format: EventFormat
  private let convention: EventConvention
  private let rule: FrameRule
  private let timesteps: Int
  private let sensor: Sensor
  private var bytes: [UInt8] = []
  private var buffer = EventBuffer()
  private var frames: [Float]

  init(
    _ format: EventFormat, _ convention: EventConvention, rule: FrameRule, timesteps: Int,
    sensor: Sensor
  ) {
    (self.format, self.convention) = (format, convention)
    self.rule = rule
    self.timesteps = timesteps
    self.sensor = sensor
    frames = Array(repeating: 0, count: timesteps * sensor.frameCount)
  }

  /// Hands on the frames `[T, H, W, 2]` of all samples of a file; where its content is wrong, the reason for
  /// each.
  ///
  /// - Parameters:
  ///   - windows: when each sample begins and ends, microseconds.
  ///   - take: is given the number of each sample.
  /// - Throws: `DatasetError` where the file cannot be read.
  func makeFrames(
    of path: String, windows: [Range<Int64>],
    _ take: (_ number: Int, Result<[Float], RecordingFailure>) -> Void
  ) throws(DatasetError) {
    do {
      if format == .frames {
        try loadFrames(path)
        take(0, .success(frames))
      } else {
        try onFiles(readFile(path, into: &bytes))
        try readEvents()
        for (number, window) in windows.enumerated() {
          let events = buffer.events(in: window)
          guard !events.isEmpty else {
            take(number, .failure(RecordingFailure(reason: "there are no events")))
            continue
          }
          integrate(events)
          take(number, .success(frames))
        }
      }
    } catch let failure as RecordingFailure {
      for number in windows.indices { take(number, .failure(failure)) }
    } catch DatasetError.malformed(_, let reason) {
      for number in windows.indices { take(number, .failure(RecordingFailure(reason: reason))) }
    } catch let error as DatasetError {
      throw error
    } catch {
      preconditionFailure("all errors are of these types")
    }
  }

  private func readEvents() throws(RecordingFailure) {
    switch format {
    case .nmnist: try readATIS(bytes, sensor: sensor, into: &buffer)
    case .dvsGesture: try readAEDAT3(bytes, sensor: sensor, into: &buffer)
    case .cifar10DVS: try readAEDAT2(bytes, sensor: sensor, convention: convention, into: &buffer)
    case .frames: preconditionFailure("frames have no events")
    }
  }

  private func integrate(_ events: ArraySlice<Event>) {
    frames.withUnsafeMutableBufferPointer { frames in
      frames.update(repeating: 0)
      rule.integrate(events, timesteps: timesteps, frameCount: sensor.frameCount, into: frames)
    }
  }

  /// Takes stored frames `[T, 2, H, W]`. Frames of equal duration may be more or fewer than the time
  /// steps.
  private func loadFrames(_ path: String) throws(DatasetError) {
    let array = try readFrames(ofArchive: path, bytes: &bytes)
    let shape = array.shape
    let (height, width) = (sensor.height, sensor.width)
    var isFitting = shape.count == 4 && Array(shape[1...]) == [2, height, width] && shape[0] > 0
    if case .number = rule { isFitting = isFitting && shape[0] == timesteps }
    guard isFitting else {
      throw .malformed(
        sample: path, reason: "its frames are \(shape), not [\(timesteps), 2, \(height), \(width)]")
    }
    var isFinite = true
    frames.withUnsafeMutableBufferPointer { frames in
      frames.update(repeating: 0)
      array.forEach(in: bytes) { index, value in
        isFinite = isFinite && value.isFinite
        let (plane, pixel) = index.quotientAndRemainder(dividingBy: height * width)
        let (timestep, polarity) = plane.quotientAndRemainder(dividingBy: 2)
        guard timestep < frames.count / sensor.frameCount else { return }
        frames[(timestep * height * width + pixel) * 2 + polarity] = value
      }
    }
    guard isFinite else {
      throw .malformed(sample: path, reason: "its frames hold numbers that are not finite")
    }
  }
}
