import SpikingNetworks

extension NetworkPlan {
  /// Multiply-accumulates of training on one sample, as if every layer were dense.
  package func trainingMACs(_ rule: LearningRule) -> Double {
    let macs = layers.reduce(0.0) { $0 + Double($1.summary.macs) }
    // A backward pass has the gradients of the input and of the weights.
    return macs * Double(rule.passes.forward + 2 * rule.passes.backward)
  }
}
