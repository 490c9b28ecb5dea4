extension MemoryEstimate {
  /// What memory is for, as `metrics.jsonl` calls it, in the order in which people read it.
  public enum Part: String, CaseIterable, Sendable {
    case weights, gradients, optimizer
    case packedWeights = "packed_weights"
    case tape, state, temporary, teacher, loader, program
    /// Of rank 0 alone.
    case checkpoint
  }

  /// All parts that there are: `totalBytes` and `checkpointBytes` together.
  public var parts: [(part: Part, bytes: Int)] {
    Part.allCases.map { ($0, bytes(of: $0)) }.filter { $0.1 > 0 }
  }

  private func bytes(of part: Part) -> Int {
    switch part {
    case .weights: weightBytes
    case .gradients: gradientBytes
    case .optimizer: optimizerBytes
    case .packedWeights: packedBytes
    case .tape: tapeBytes
    case .state: stateBytes
    case .temporary: temporaryBytes
    case .teacher: teacherBytes
    case .loader: loaderBytes
    case .program: programBytes
    case .checkpoint: checkpointBytes
    }
  }
}
