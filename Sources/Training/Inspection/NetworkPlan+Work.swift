import SpikingNetworks

extension NetworkPlan {
  /// Multiply-accumulates of training on one sample, as if every layer were dense.
  package func trainingMACs(_ rule: LearningRule) -> Double {
    func macs(_ layers: [LayerSummary]) -> Double { layers.reduce(0) { $0 + Double($1.macs) } }
    let all = layers.map(\.summary)
    // Where weights meet traces, a gain behind the last ones of a block has a gradient of its own, which
    // meets spikes.
    let twice = rule.keepsTraces ? all.filter { $0.untracedBytes > 0 } : []
    // A backward pass has the gradients of the input and of the weights.
    return macs(all) * Double(rule.passes.forward + 2 * rule.passes.backward)
      + macs(twice) * Double(rule.passes.backward)
  }
}
