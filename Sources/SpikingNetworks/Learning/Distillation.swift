import Foundation

/// How far a network learns the outputs of a teacher besides the labels (Hinton, Vinyals and Dean, "Distilling
/// the knowledge in a neural network", arXiv 1503.02531):
///
///     L = (1 - w) task + w τ² KL(softmax(teacher / τ) || softmax(logits / τ))
public struct Distillation: Equatable, Sendable {
  /// τ: the higher, the more the classes count that the teacher takes for unlikely.
  public var temperature: Float
  /// w
  public var weight: Float

  public init(temperature: Float, weight: Float) {
    (self.temperature, self.weight) = (temperature, weight)
  }

  /// log softmax(logits / τ) of a sample's logits.
  func logProbabilities(of logits: [Float]) -> [Double] {
    logSoftmax(logits.map { Double($0) / Double(temperature) })
  }

  /// τ² KL of a sample, and its gradient with respect to the logits.
  ///
  /// - Parameter teacher: the log-probabilities of the teacher's logits.
  func loss(of logits: [Float], teacher: [Double]) -> (value: Double, gradient: [Double]) {
    let τ = Double(temperature)
    let own = logProbabilities(of: logits)
    let divergence = zip(teacher, own).reduce(0) { $0 + exp($1.0) * ($1.0 - $1.1) }
    return (τ * τ * divergence, zip(teacher, own).map { τ * (exp($1) - exp($0)) })
  }
}
