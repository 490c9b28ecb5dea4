import Foundation

/// What a network says of a sample.
public struct Prediction: Sendable {
  /// By class, summed over the time steps. What is not a number counts as the least.
  private let logitSums: [Float]
  private let timesteps: Int

  /// - Returns: nil where the greatest sum is no finite number, which predicts nothing.
  init?(logitSums: some Sequence<Float>, timesteps: Int) {
    self.logitSums = logitSums.map { $0.isNaN ? -.infinity : $0 }
    self.timesteps = timesteps
    guard self.logitSums.max()?.isFinite == true else { return nil }
  }

  /// softmax of the logits' mean over the time steps, by class.
  public var probabilities: [Double] {
    logSoftmax(logitSums.map { Double($0) / Double(timesteps) }).map { exp($0) }
  }

  /// The class with the greatest logits, the first of equal ones.
  public var label: Int { logitSums.indices.min(by: precedes)! }

  /// The classes with the greatest logits in falling order, at most `count` of them; of equal ones the first
  /// comes first.
  public func top(_ count: Int) -> [Int] {
    Array(logitSums.indices.sorted(by: precedes).prefix(count))
  }

  private func precedes(_ a: Int, _ b: Int) -> Bool {
    (logitSums[b], a) < (logitSums[a], b)
  }
}

/// log softmax(values)
func logSoftmax(_ values: [Double]) -> [Double] {
  let largest = values.max() ?? 0
  let logTotal = largest + log(values.reduce(0) { $0 + exp($1 - largest) })
  return values.map { $0 - logTotal }
}
