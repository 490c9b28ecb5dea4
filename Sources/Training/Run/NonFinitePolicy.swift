import Configuration

/// What becomes of a run whose loss or gradients are not finite (`training.on_nonfinite`).
struct NonFinitePolicy {
  /// What is to be done before training goes on with the next batch.
  enum Remedy {
    /// Nothing but to leave the update out.
    case skip
    /// To go back to the weights of the last checkpoint.
    case rollback
  }

  /// So many updates that are not finite, one after another, do not come right by themselves.
  private static let tolerated = 10

  private let action: Configuration.Training.NonFiniteAction
  private var inARow = 0

  init(_ action: Configuration.Training.NonFiniteAction) { self.action = action }

  /// Says that an update was finite.
  mutating func succeed() { inARow = 0 }

  /// - Parameter problem: what was not finite, where.
  /// - Throws: `TrainingError`, on all ranks alike, where the run is to end.
  mutating func remedy(for problem: String) throws(TrainingError) -> Remedy {
    inARow += 1
    guard inARow < Self.tolerated || action == .stop else {
      throw TrainingError(
        description: "\(problem), the \(inARow)th time in a row: lower optimizer.learning_rate, or"
          + " check the data")
    }
    switch action {
    case .stop:
      throw TrainingError(
        description: "\(problem); lower optimizer.learning_rate, check the data, or set"
          + " training.on_nonfinite to skip or rollback")
    case .skip: return .skip
    case .rollback: return .rollback
    }
  }
}

/// Training that cannot go on.
public struct TrainingError: Error, CustomStringConvertible {
  public let description: String
}
