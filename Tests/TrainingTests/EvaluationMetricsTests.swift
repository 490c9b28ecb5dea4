import Distributed
import Testing

@testable import SpikingNetworks
@testable import Training

struct EvaluationMetricsTests {
  @Test func countsByLabelAndPrediction() {
    var metrics = EvaluationMetrics(
      nothing: IterationMetrics(), classes: 2, outputs: 3, timesteps: 1)
    let samples: [(label: Int, logits: [Float])] = [
      (0, [2, 1, 0]), (0, [0, 0, 1]), (1, [3, 2, 1]), (1, [.nan, .nan, .nan]),
    ]
    for (label, logits) in samples {
      metrics.add(Prediction(logitSums: logits, timesteps: 1), label: label)
    }
    #expect(metrics.samples == [2, 2])
    let confusion = metrics.confusion
    #expect(
      (0..<2).map { label in (0..<3).map { confusion[label, $0] } } == [[1, 0, 1], [1, 0, 0]])
    #expect(confusion.predicted == [2, 0, 1])
    #expect(metrics.calibration.bins.reduce(0) { $0 + $1.samples } == 3)
  }
}

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct EvaluationMetricsMPITests {
  let communicator: any Communicator

  init() throws { communicator = try Launch.current.communicator() }

  /// Also where some ranks have no part in the last batch.
  @Test func ranksMeasureTogether() throws {
    let settings =
      DataParallelTrainerMPITests.normalizerFree[0]
      + ["neuron.threshold=0.3", "training.global_batch=4", "model.classes=5"]
    func found(_ communicator: any Communicator) throws -> EvaluationMetrics {
      let job = try SmallJob(settings, communicator)
      job.assign { name, index in
        name.hasSuffix("gain") ? 2 : name == "fc.weight" ? Float(index * 7 % 11 - 5) / 5 : nil
      }
      return try withOneThread {
        try job.trainer.evaluator.evaluateInDetail(job.validation, classes: 3)
      }
    }
    let (together, alone) = (try found(communicator), try found(SingleProcess()))
    #expect(together.samples == [5, 4, 4] && alone.samples == [5, 4, 4])
    #expect(together.confusion == alone.confusion)
    #expect(together.correctAfter == alone.correctAfter && alone.correctAfter.count == 3)
    #expect(Double(together.correctAfter[2]) == together.overall.correct)
    let correct = (0..<3).reduce(0) { $0 + together.confusion[$1, $1] }
    #expect(correct == together.correctAfter[2])
    #expect(abs(together.calibration.error - alone.calibration.error) < 1e-6)
    #expect(together.overall.correct == alone.overall.correct)
  }
}
