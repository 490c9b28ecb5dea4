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
  let storage: BatchStorage

  /// Normalized images, `[count, imageSize, imageSize, channels]` (NHWC), contiguous; the address
  /// is aligned to 64 bytes.
  public var images: UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(rebasing: storage.images[..<(count * storage.imageCount)])
  }

  /// `[count]`
  public var labels: UnsafeBufferPointer<Int32> {
    UnsafeBufferPointer(rebasing: storage.labels[..<count])
  }
}

/// The memory of a batch, allocated once. Who writes and who reads it when is the loader's matter.
final class BatchStorage: @unchecked Sendable {
  /// Floats an image.
  let imageCount: Int
  let images: UnsafeMutableBufferPointer<Float>
  let labels: UnsafeMutableBufferPointer<Int32>

  init(capacity: Int, imageCount: Int) {
    self.imageCount = imageCount
    let memory = UnsafeMutableRawBufferPointer.allocate(
      byteCount: max(capacity * imageCount, 1) * MemoryLayout<Float>.stride, alignment: 64)
    images = memory.bindMemory(to: Float.self)
    images.initialize(repeating: 0)
    labels = .allocate(capacity: max(capacity, 1))
    labels.initialize(repeating: 0)
  }

  deinit {
    images.deallocate()
    labels.deallocate()
  }

  /// Where the image at `position` of the batch goes.
  func image(_ position: Int) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(
      rebasing: images[position * imageCount..<(position + 1) * imageCount])
  }
}
