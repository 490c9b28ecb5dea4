import Distributed
import Testing

@testable import Training

struct UnrollingMetricsTests {
  @Test func comparesPredictionsAndLogits() {
    var metrics = UnrollingMetrics(nothing: IterationMetrics())
    metrics.levels.samples = 3
    metrics.compare([1, 2, 0, -4, 0.5, 0], unrolled: [1, 2.25, 0, -4, 0.5, 1], samples: 3)
    #expect(metrics.agreeing == 2 && metrics.agreement == 2.0 / 3)
    #expect(metrics.largestDifference == 1 && metrics.largestLogit == 4)
    metrics.compare([], unrolled: [], samples: 0)
    metrics.compare([1, 0], unrolled: [1, .nan], samples: 1)
    #expect(metrics.largestDifference == .infinity)
  }
}

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct UnrollingMetricsMPITests {
  let communicator: any Communicator

  init() throws { communicator = try Launch.current.communicator() }

  /// Also where some ranks have no part in the last batch.
  @Test func ranksCompareTogether() throws {
    let settings =
      DataParallelTrainerMPITests.normalizerFree[0]
      + ["neuron.levels=4", "neuron.threshold=0.3", "training.global_batch=4"]
    func found(_ communicator: any Communicator) throws -> UnrollingMetrics {
      let job = try SmallJob(settings, communicator)
      job.assign { name, index in
        name.hasSuffix("gain") ? 2 : name == "fc.weight" ? Float(index * 7 % 11 - 5) / 5 : nil
      }
      return try withOneThread { try job.trainer.evaluator.compareUnrolled(job.validation) }
    }
    let (together, alone) = (try found(communicator), try found(SingleProcess()))
    #expect(together.levels.samples == 13 && together.agreeing == 13)
    #expect(together.levels.spikes == alone.levels.spikes && alone.levels.spikes > 0)
    #expect(together.unrolled.spikes == alone.unrolled.spikes)
    #expect(together.largestLogit == alone.largestLogit && together.largestLogit > 0.1)
    #expect(together.largestDifference < 1e-5 * together.largestLogit)
  }
}
