extension Configuration {
  /// Keys that do nothing unless another has a certain value.
  ///
  /// A value that was meant to do something but does nothing would train something else than told.
  private struct Dependence {
    let keys: [String]
    /// What gives them an effect.
    let need: String
    let isMet: @Sendable (Configuration) -> Bool
  }

  private static let dependences: [Dependence] = [
    .init(keys: ["loss.mse_target", "loss.mse_mean"], need: "loss.mse_weight above 0") {
      $0.loss.mseWeight > 0
    },
    .init(keys: ["loss.mse_mean"], need: "loss.mse_target constant") {
      $0.loss.mseTarget == .constant
    },
    .init(keys: ["loss.label_smoothing"], need: "loss.mse_weight below 1") {
      $0.loss.mseWeight < 1
    },
    .init(keys: ["distill.temperature", "distill.weight"], need: "a teacher, distill.checkpoint") {
      $0.distill.checkpoint != nil
    },
    .init(keys: ["optimizer.momentum", "optimizer.nesterov"], need: "optimizer.name sgd") {
      $0.optimizer.name == .sgd
    },
    .init(keys: ["schedule.step_size", "schedule.gamma"], need: "schedule.name step") {
      $0.schedule.name == .step
    },
    .init(keys: ["data.max_bad_samples"], need: "data.on_bad_sample skip") {
      $0.data.onBadSample == .skip
    },
  ]

  /// Checks that no key is set that has no effect.
  func validateDependences() throws {
    for dependence in Self.dependences where !dependence.isMet(self) {
      if let key = dependence.keys.first(where: { !isDefault($0) }) {
        throw error(key, "has no effect without \(dependence.need): set that, or remove \(key)")
      }
    }
  }
}
