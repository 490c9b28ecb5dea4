internal import CSpikeKernels

extension SpikeTensor {
  /// Spikes where the elements are not 0.
  init(marking values: borrowing Tensor, in arena: Arena) {
    self.init(values.shape, in: arena)
    let (source, destination, channels) = (values.pointer, words, shape.c)
    parallelFor(shape.pixels, grain: pixelGrain(channels: channels)) { _, part in
      sltt_mark(source, destination, channels, part.lowerBound, part.upperBound)
    }
    countSpikes()
  }

  /// The spikes as floats: `amplitude` where a spike is, else 0.
  borrowing func unpacked(in arena: Arena) -> Tensor {
    let dense = Tensor(shape, in: arena)
    let (source, destination) = (words, dense.pointer)
    let (channels, amplitude) = (shape.c, amplitude)
    parallelFor(shape.pixels, grain: pixelGrain(channels: channels)) { _, part in
      sltt_unpack(source, destination, channels, amplitude, part.lowerBound, part.upperBound)
    }
    return dense
  }
}

extension Tensor {
  /// Adds the amplitude where a spike is.
  ///
  /// - Parameter decay: multiplies what was there before.
  mutating func add(_ spikes: borrowing SpikeTensor, afterTimes decay: Float = 1) {
    precondition(spikes.shape == shape)
    willChange()
    let (source, destination) = (spikes.words, pointer)
    let (channels, amplitude) = (shape.c, spikes.amplitude)
    parallelFor(shape.pixels, grain: pixelGrain(channels: channels)) { _, part in
      sltt_add_spikes(
        source, destination, channels, amplitude, decay, part.lowerBound, part.upperBound)
    }
  }
}
