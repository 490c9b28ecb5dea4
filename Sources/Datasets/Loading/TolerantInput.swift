import Synchronization

/// An input of which samples may be bad: such a sample is all zeros, and why is kept.
public final class TolerantInput: SampleInput {
  private let input: any SampleInput
  private let failures = Mutex<[Int: DatasetError]>([:])

  public init(_ input: any SampleInput) { self.input = input }

  public var count: Int { input.count }
  public var timesteps: Int { input.timesteps }
  public var imageSize: Int { input.imageSize }
  public var frameCount: Int { input.frameCount }

  /// Why a sample that was read is bad; nil if it is good.
  public func failure(of sample: Int) -> DatasetError? { failures.withLock { $0[sample] } }

  fileprivate func enter(_ failure: DatasetError, of sample: Int) {
    failures.withLock { $0[sample] = failure }
  }

  public func makeReader(seed: UInt64) -> any SampleReader {
    TolerantReader(self, input.makeReader(seed: seed))
  }
}

private final class TolerantReader: SampleReader {
  private let input: TolerantInput
  private let reader: any SampleReader

  init(_ input: TolerantInput, _ reader: any SampleReader) {
    (self.input, self.reader) = (input, reader)
  }

  func read(_ sample: Int, epoch: Int, into place: SamplePlace) {
    do {
      try reader.read(sample, epoch: epoch, into: place)
    } catch {
      input.enter(error, of: sample)
      for timestep in 0..<input.timesteps { place.frame(timestep).update(repeating: 0) }
      place.setLabel(0)
    }
  }
}
