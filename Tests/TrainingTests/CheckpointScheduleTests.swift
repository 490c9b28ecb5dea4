import Configuration
import Testing

@testable import Training

struct CheckpointScheduleTests {
  private let start = ContinuousClock.now

  private func schedule(_ settings: String...) throws -> CheckpointSchedule {
    let none = ["iterations", "epochs", "minutes"].map { "checkpoint.every_\($0)=null" }
    let configuration = try Configuration(
      file: nil, overrides: none + settings.map { "checkpoint.\($0)" })
    return CheckpointSchedule(configuration.checkpoint, at: start)
  }

  @Test func checkpointsAreDueAfterSoManyIterationsOrEpochs() throws {
    let iterations = try schedule("every_iterations=3")
    #expect((1...9).filter { iterations.isDue(iteration: $0) } == [3, 6, 9])
    #expect(!(1...9).contains { iterations.isDue(epoch: $0) })
    let epochs = try schedule("every_epochs=2")
    #expect((1...5).filter { epochs.isDue(epoch: $0) } == [2, 4])
    #expect(!(1...5).contains { epochs.isDue(iteration: $0) })
  }

  @Test func minutesCountFromTheLatestCheckpoint() throws {
    var schedule = try schedule("every_minutes=1.5")
    #expect(!schedule.isDueByTime(at: start + .seconds(89)))
    #expect(schedule.isDueByTime(at: start + .seconds(90)))
    schedule.restart(at: start + .seconds(60))
    #expect(!schedule.isDueByTime(at: start + .seconds(149)))
    #expect(schedule.isDueByTime(at: start + .seconds(150)))
  }

  @Test func nothingIsDueUnlessItIsWanted() throws {
    let schedule = try schedule()
    #expect(!schedule.isDue(iteration: 1) && !schedule.isDue(epoch: 1))
    #expect(!schedule.isDueByTime(at: start + .seconds(1_000_000)))
  }
}
