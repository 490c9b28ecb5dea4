import Configuration
import Distributed
import TestSupport
import Testing

@testable import Training

struct RunCheckpointsTests {
  @Test func weightsAreComparedAfterCheckpointsAndAsOftenAsConfigured() throws {
    let directory = try TemporaryDirectory()
    for split in ["train", "val"] {
      try DigitSubset(split, counts: [3, 2]).write(to: directory, split: split)
    }
    let configuration = try Configuration(
      file: nil,
      overrides: [
        "data.path=\(directory.path)", "model.blocks=[1]", "model.width=4",
        "model.input_channels=1", "training.check_replicas_every=3",
        "checkpoint.every_iterations=4",
      ])
    let compared = try withOneThread {
      let setup = try TrainingSetup(
        configuration, backend: .oneDNN, threads: 1, output: nil, SingleProcess())
      let checkpoints = RunCheckpoints(setup, nil, savedIteration: nil)
      #expect(!checkpoints.comparesWeights)
      return try (1...9).filter { iteration in
        try checkpoints.afterIteration(
          RunPosition(iteration: iteration), IterationOutcome(metrics: IterationMetrics()),
          isEnd: false)
        return checkpoints.comparesWeights
      }
    }
    #expect(compared == [3, 4, 6, 8, 9])
  }
}
