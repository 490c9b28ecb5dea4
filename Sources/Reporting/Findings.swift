import Configuration
import Distributed
import SpikingNetworks
import Tensors
import Training

/// What the validation of a run's best checkpoint found.
public struct Findings {
  let evaluation: EvaluationRecord
  /// The samples that it gets wrong, or nearly so.
  let worst: [WorstSamples.Sample]

  private static let mostExamples = 24
}

extension Findings {
  /// Validates the checkpoint.
  ///
  /// - Parameter data: the path of the data set, where the run's own is not to count.
  /// - Throws: what makes it impossible, such as a run without a checkpoint, or data that are not there.
  public init(
    of history: RunHistory, data: String?, backend: ConvolutionBackend, threads: Int,
    _ communicator: any Communicator
  ) throws {
    let model = try ModelFile(at: history.path, communicator)
    var configuration = history.configuration
    // The run may have measured a part of the samples to save time.
    configuration.data.validationSamples = nil
    if let data { configuration.data.path = data }
    let examples = WorstSamples(most: Self.mostExamples)
    evaluation = try Evaluation(
      of: model, configuration, backend: backend, threads: threads, communicator
    ).run(worst: examples).record
    worst = examples.samples
  }
}
