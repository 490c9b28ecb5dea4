extension Spikes {
  /// The same numbers of spikes one by one: plane k has a spike where there are more than k.
  ///
  /// - Precondition: the spikes are binary numbers.
  public func unrolled(in arena: Arena) -> Spikes {
    guard let levels else { preconditionFailure("sums of unlike spikes have no number") }
    guard levels > 1 else { return self }
    let result = Spikes(
      planes: (0..<levels).map { _ in
        SharedSpikes(SpikeTensor(shape, amplitude: amplitude, in: arena))
      })
    let (bits, unrolled) = (words, result.words)
    parallelFor(SpikeTensor.bytes(shape) / 8, grain: 8192) { _, part in
      for word in part {
        for plane in unrolled.indices {
          // Compares with plane + 1, from the lowest bit to the highest.
          var isReached = ~UInt64(0)
          for bit in bits.indices {
            isReached =
              (plane + 1) >> bit & 1 == 1
              ? bits[bit][word] & isReached : bits[bit][word] | isReached
          }
          unrolled[plane][word] = isReached
        }
      }
    }
    result.countSpikes()
    return result
  }
}
