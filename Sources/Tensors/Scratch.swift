/// Temporary floats of an arena, apart for each of some threads.
struct Scratch: ~Copyable {
  private let memory: Tensor
  private let step: Int

  /// - Parameter count: of floats, for each part.
  init(_ count: Int, parts: Int = 1, _ arena: Arena) {
    // So that no two parts share a line of the cache.
    step = (count + 15) / 16 * 16
    memory = Tensor(Shape(n: parts, c: step), in: arena)
  }

  subscript(part: Int) -> UnsafeMutablePointer<Float> { memory.pointer + part * step }
}
