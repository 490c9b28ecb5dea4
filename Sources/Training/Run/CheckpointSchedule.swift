import Configuration

/// When checkpoints are due.
struct CheckpointSchedule {
  private let settings: Configuration.Checkpointing
  private var last = ContinuousClock.now

  init(_ settings: Configuration.Checkpointing) {
    self.settings = settings
  }

  /// Whether one is due after so many iterations: the same on all ranks.
  func isDue(iteration: Int) -> Bool {
    settings.everyIterations.map { iteration % $0 == 0 } ?? false
  }

  /// Whether one is due after so many epochs: the same on all ranks.
  func isDue(epoch: Int) -> Bool {
    settings.everyEpochs.map { epoch % $0 == 0 } ?? false
  }

  /// Whether one is due by the clock; ranks need not agree.
  var isDueByTime: Bool {
    settings.everyMinutes.map { ContinuousClock.now - last >= .seconds($0 * 60) } ?? false
  }

  /// Says that one has been made.
  mutating func restart() { last = .now }
}
