/// One part of the arithmetic that training relies on, to be held against a plain loop on this CPU.
public struct MathCheck: Sendable {
  /// What computes.
  public enum Engine: String, CaseIterable, Sendable {
    case matrixProducts = "matrix products by OpenBLAS"
    case oneDNN = "convolutions by oneDNN"
    case openBLAS = "convolutions by OpenBLAS"
    case winograd = "convolutions by Winograd's method"
    case events = "convolutions of spikes by events"
    case tiles = "convolutions of spikes by tiles"
    case neurons = "neurons"
  }

  public let engine: Engine
  /// What it computes, such as "33 x 65 x 17".
  public let name: String
  /// Computes it both ways.
  public let run: @Sendable () -> RoundingCheck

  package init(
    _ engine: Engine, _ name: String, run: @escaping @Sendable () -> RoundingCheck
  ) {
    (self.engine, self.name, self.run) = (engine, name, run)
  }

  /// All parts: matrix products, convolutions by each library, by Winograd's method, by events and by tiles,
  /// neurons.
  public static func all() -> [MathCheck] {
    MatrixProduct.checks + ConvolutionCheck.checks + MembraneDynamics.checks
  }
}

/// Numbers between -1 and 1, equal for equal seeds.
func checkValues(_ count: Int, seed: Int) -> [Float] {
  var random = RandomStream(seed: UInt64(seed), purpose: .augmentation)
  return (0..<count).map { _ in 2 * random.uniform() - 1 }
}

extension FlatBuffer {
  /// A buffer with the given elements.
  convenience init(_ elements: [Float]) {
    self.init(count: elements.count)
    all.assign(elements)
  }
}
