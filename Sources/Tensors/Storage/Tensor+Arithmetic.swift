/// Elements that are worth a thread's while in a pass over memory.
private let elementGrain = 16384

extension Tensor {
  /// Sets all elements to one value.
  public mutating func fill(_ value: Float) {
    willChange()
    let destination = pointer
    parallelFor(shape.count, grain: elementGrain) { _, part in
      (destination + part.lowerBound).update(repeating: value, count: part.count)
    }
  }

  /// `self += other`
  public mutating func add(_ other: borrowing Tensor) {
    precondition(other.shape == shape)
    willChange()
    let (destination, source) = (pointer, other.pointer)
    parallelFor(shape.count, grain: elementGrain) { _, part in
      for i in part { destination[i] += source[i] }
    }
  }
}
