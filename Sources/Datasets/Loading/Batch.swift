import Foundation
import Support
import Tensors

/// One rank's part of a global batch, ready for the network. The contents are valid until the next
/// call of the loader that gave it.
public struct Batch {
  /// The iteration within the epoch.
  public let iteration: Int
  /// Samples in this batch; may be 0 where a short global batch has fewer samples than ranks.
  public let count: Int
  /// The position of the first sample in the global batch.
  public let offset: Int
  /// The samples of all ranks together.
  public let globalCount: Int
  let mixedShare: Float?
  /// Samples that are there in place of bad ones.
  public let replaced: Int
  let storage: BatchStorage

  /// Frames of a sample; 1 for images.
  public var timesteps: Int { storage.timesteps }

  /// Network inputs, `[timesteps, count, H, W, C]`, contiguous; the address is aligned to 64 bytes.
  public var frames: UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(rebasing: storage.frames[..<(timesteps * count * storage.frameCount)])
  }

  /// `[count]`
  public var labels: UnsafeBufferPointer<Int32> {
    UnsafeBufferPointer(rebasing: storage.labels[..<count])
  }

  /// How much of every sample is the sample itself, and the labels of the partners that make up the
  /// rest, `[count]`; `nil` where samples are not mixed.
  public var mixture: (share: Float, partnerLabels: [Int32])? {
    mixedShare.map { ($0, (0..<count).map { storage.labels[$0 > 0 ? $0 - 1 : count] }) }
  }
}

/// The memory of a batch, allocated once. Who writes and who reads it when is the loader's matter.
final class BatchStorage: @unchecked Sendable {
  /// Frames a sample.
  let timesteps: Int
  /// Floats a frame.
  let frameCount: Int
  let frames: UnsafeMutableBufferPointer<Float>
  let labels: UnsafeMutableBufferPointer<Int32>

  /// - Parameter capacity: samples, with the partner of the first if samples are mixed.
  init(capacity: Int, timesteps: Int, frameCount: Int) {
    self.timesteps = timesteps
    self.frameCount = frameCount
    let stride = MemoryLayout<Float>.stride
    let (count, overflows) = max(capacity, 1).multipliedReportingOverflow(
      by: timesteps * frameCount * stride)
    var memory: UnsafeMutableRawPointer?
    guard !overflows, posix_memalign(&memory, 64, max(count, stride)) == 0, let memory else {
      Exhaustion.end(
        "out of memory: batches of \(capacity) samples do not fit; use a smaller global batch or image,"
          + " or more ranks")
    }
    frames = UnsafeMutableBufferPointer(
      start: memory.bindMemory(to: Float.self, capacity: count / stride), count: count / stride)
    frames.initialize(repeating: 0)
    labels = .allocate(capacity: max(capacity, 1))
    labels.initialize(repeating: 0)
  }

  /// Mixes the `count` samples of a batch with their partners in place.
  func mix(_ mixture: BatchMixing.Mixture, count: Int) {
    for timestep in 0..<timesteps {
      // From the last sample on, so that partners are still as they were.
      for position in (0..<count).reversed() {
        func frame(_ position: Int) -> UnsafeMutableBufferPointer<Float> {
          SamplePlace(storage: self, position: position, count: count).frame(timestep)
        }
        mixture.apply(
          to: frame(position).baseAddress!,
          partner: frame(position > 0 ? position - 1 : count).baseAddress!, count: frameCount)
      }
    }
  }

  deinit {
    free(frames.baseAddress)
    labels.deallocate()
  }
}
