/// Temporary floats of an arena, apart for each of some threads.
struct Scratch: ~Copyable {
  /// How much of it a pass needs.
  struct Size {
    /// For each part.
    var floats: Int
    var parts = 1

    init(floats: Int, parts: Int = 1) {
      (self.floats, self.parts) = (floats, parts)
    }

    init(bytes: Int, parts: Int = 1) {
      self.init(floats: (bytes + 3) / 4, parts: parts)
    }

    /// So that no two parts share a line of the cache.
    fileprivate var step: Int { (floats + 15) / 16 * 16 }

    /// Of all parts.
    var bytes: Int { 4 * parts * step }
  }

  private let memory: Tensor
  private let step: Int

  init(_ size: Size, _ arena: Arena) {
    step = size.step
    memory = Tensor(Shape(n: size.parts, c: step), in: arena)
  }

  /// Overwrites all parts with 0.
  func clear() {
    let base = memory.pointer
    parallelFor(memory.shape.count, grain: 16384) { _, part in
      (base + part.lowerBound).update(repeating: 0, count: part.count)
    }
  }

  subscript(part: Int) -> UnsafeMutablePointer<Float> { memory.pointer + part * step }
}
