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

  /// `self *= factor`
  public mutating func scale(by factor: Float) {
    willChange()
    let destination = pointer
    parallelFor(shape.count, grain: elementGrain) { _, part in
      for i in part { destination[i] *= factor }
    }
  }

  /// `self = decay self + other`
  public mutating func add(_ other: borrowing Tensor, afterTimes decay: Float = 1) {
    precondition(other.shape == shape)
    willChange()
    let (destination, source) = (pointer, other.pointer)
    parallelFor(shape.count, grain: elementGrain) { _, part in
      for i in part { destination[i] = decay * destination[i] + source[i] }
    }
  }
}
