internal import CSpikeKernels

/// Numbers in bfloat16, rounded to the nearest, for as long as a kernel needs them: the upper half of a
/// single-precision number.
final class BFloat16Block {
  let pointer: UnsafeMutablePointer<UInt16>
  private let bytes: Int
  private let arena: Arena

  /// Undefined numbers.
  init(count: Int, in arena: Arena) {
    bytes = count * 2
    self.arena = arena
    pointer = arena.allocate(bytes: bytes).assumingMemoryBound(to: UInt16.self)
  }

  deinit {
    arena.release(pointer, bytes: bytes)
  }

  /// The elements of a tensor; those that it has rounded already are shared.
  static func rounding(_ tensor: borrowing Tensor, in arena: Arena) -> BFloat16Block {
    if let rounded = tensor.rounded { return rounded }
    let count = tensor.shape.count
    let block = BFloat16Block(count: count, in: arena)
    let (source, destination) = (tensor.pointer, block.pointer)
    parallelFor(count, grain: 16384) { _, part in
      sltt_round(source, destination, part.lowerBound, part.upperBound)
    }
    return block
  }

  /// Spikes as what they stand for, in the order of unpacked memory.
  static func unpacking(_ spikes: borrowing SpikeTensor, in arena: Arena) -> BFloat16Block {
    let shape = spikes.shape
    let block = BFloat16Block(count: shape.count, in: arena)
    let (words, destination, amplitude) = (spikes.words, block.pointer, spikes.amplitude)
    parallelFor(shape.pixels, grain: pixelGrain(channels: shape.c)) { _, part in
      sltt_unpack_rounded(
        words, destination, shape.c, amplitude, part.lowerBound, part.upperBound)
    }
    return block
  }
}
