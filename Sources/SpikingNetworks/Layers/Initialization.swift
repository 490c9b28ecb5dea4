import Foundation
import Tensors

/// How a parameter's first values are drawn.
enum Initialization {
  case constant(Float)
  /// Normal with variance 2 / (outputs * kernel²) (He et al., ICCV 2015, mode "fan out").
  case heNormal(fanOut: Int)
  case normal(deviation: Float)
  /// Uniform between -1/sqrt(fanIn) and 1/sqrt(fanIn), PyTorch's default.
  case uniform(fanIn: Int)

  /// Values as a pure function of the seed and the parameter's number, in the published order.
  func values(count: Int, seed: UInt64, parameter index: Int) -> [Float] {
    var random = RandomStream(seed: seed, purpose: .initialization, index: index)
    switch self {
    case .constant(let value): return Array(repeating: value, count: count)
    case .heNormal(let fanOut):
      return random.normal(count, deviation: (2 / Float(fanOut)).squareRoot())
    case .normal(let deviation): return random.normal(count, deviation: deviation)
    case .uniform(let fanIn):
      let bound = 1 / Float(fanIn).squareRoot()
      return (0..<count).map { _ in bound * (2 * random.uniform() - 1) }
    }
  }
}

extension RandomStream {
  /// Normally distributed numbers with mean 0 (Box and Muller, 1958).
  fileprivate mutating func normal(_ count: Int, deviation: Float) -> [Float] {
    var numbers: [Float] = []
    numbers.reserveCapacity(count + 1)
    while numbers.count < count {
      // 1 - uniform() is never 0.
      let radius = (-2 * log(1 - Double(uniform()))).squareRoot() * Double(deviation)
      let angle = 2 * Double.pi * Double(uniform())
      numbers.append(Float(radius * cos(angle)))
      numbers.append(Float(radius * sin(angle)))
    }
    numbers.removeLast(numbers.count - count)
    return numbers
  }
}
