import Configuration
import Foundation
import Support

/// Where a run goes on, and what is no longer as it was, for people.
struct ResumeNote {
  let text: String

  /// - Parameter state: of the checkpoint that it goes on from.
  init(_ setup: TrainingSetup, _ state: RunState) {
    let iteration = state.position.iteration
    var lines = ["resuming after \(Format.counted(iteration, "iteration"))"]
    if state.worldSize != setup.communicator.size {
      lines.append(
        "the checkpoint is of \(Format.counted(state.worldSize, "rank")): the same batches follow,"
          + " with sums that may be rounded differently")
    }
    var before = Configuration()
    try? before.apply(yaml: state.configuration, from: "the checkpoint")
    for key in Configuration.keys {
      let (old, new) = (key.yaml(before) ?? "none", key.yaml(setup.configuration) ?? "none")
      if old != new { lines.append("\(key.name) was \(old) and is \(new)") }
    }
    if iteration >= setup.iterations {
      lines.append(
        (iteration > setup.iterations
          ? "it has done more than the \(Format.counted(setup.iterations, "iteration")) that are wanted"
            + " now: "
          : "all iterations are done: ")
          + (state.position.isValidated ? "nothing is left to do" : "only its validation is left"))
    } else if let jump = Self.rateJump(
      from: before.learningRateSchedule, to: setup.configuration.learningRateSchedule,
      epoch: iteration / setup.iterationsPerEpoch)
    {
      lines.append(jump)
    }
    text = lines.joined(separator: "\n") + "\n"
  }

  /// How the learning rate changes at once because the schedule is no longer the same, if it does.
  private static func rateJump(
    from before: LearningRateSchedule, to now: LearningRateSchedule, epoch: Int
  ) -> String? {
    guard before != now else { return nil }
    let last = min(epoch, before.epochs - 1)
    let (old, new) = (before.rate(epoch: last), now.rate(epoch: epoch))
    guard old != new else { return nil }
    func text(_ rate: Double) -> String { String(format: "%.4g", rate) }
    return "the learning rate jumps from \(text(old)), of epoch \(last + 1) as it was planned, to"
      + " \(text(new)) in epoch \(epoch + 1)"
  }
}
