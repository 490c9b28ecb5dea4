import Tensors

/// Numbers between -1 and 1, equal for equal seeds.
public func randomFloats(_ count: Int, seed: Int) -> [Float] {
  var random = RandomStream(seed: UInt64(seed), purpose: .augmentation)
  return (0..<count).map { _ in 2 * random.uniform() - 1 }
}

/// Memory of its own with the given elements.
public func view(_ elements: [Float]) -> FloatView {
  let view = FlatBuffer(count: elements.count).all
  view.assign(elements)
  return view
}

/// Runs `body` with a number of threads for the work that it starts.
public func withThreads<Result>(_ count: Int, _ body: () throws -> Result) rethrows -> Result {
  let before = ThreadPool.threads
  ThreadPool.setThreads(count)
  defer { ThreadPool.setThreads(before) }
  return try body()
}
