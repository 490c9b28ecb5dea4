import Configuration
import Datasets
import Distributed
import Foundation
import SpikingNetworks
import Support
import Tensors

/// A checkpoint's accuracy on the validation split, measured by all ranks together.
public final class Evaluation {
  private let trainer: DataParallelTrainer
  private let loader: DataLoader
  private let configuration: Configuration
  private let checkpoint: ModelFile
  private let source: String
  private let notes: [SplitNote]

  /// - Throws: what makes it impossible, such as a data set of other classes than the checkpoint's.
  public init(
    of checkpoint: ModelFile, _ configuration: Configuration, backend: ConvolutionBackend,
    threads: Int, _ communicator: any Communicator
  ) throws {
    self.configuration = configuration
    self.checkpoint = checkpoint
    ThreadPool.setThreads(threads)
    let data = try DataSplits(configuration, communicator)
    let parts = try data.openDividedToValidate()
    let validation: any SampleSource = try parts?.heldOut ?? data.openValidation()
    if communicator.isRoot, let parts, let list = checkpoint.trainingList,
      !list.mayEqual(SampleListHash(of: parts.training))
    {
      warn(
        "\(data.name) is divided otherwise than in training: images that are held out now may have been"
          + " learnt from")
    }
    let trained = TrainedOn(checkpoint)
    try trained.requireClasses(validation.classes)
    if communicator.isRoot { try trained.note(configuration) }
    source =
      validation is EventFrames ? validation.location : data.name(of: validation)
    notes = validation.notes
    let network = try configuration.networkSpecification(classes: validation.classes.count)
    try configuration.requireMemory(
      for: network, backend, samples: validation.count, trains: false, communicator)
    trainer = try DataParallelTrainer(
      configuration, network: network, backend: backend, communicator)
    try checkpoint.restore(trainer.network)
    // A training may have written a better one between the looks of two ranks.
    try trainer.replica.shareWeights()
    loader = try configuration.loader(
      validation, isTraining: false, communicator, threads: threads)
  }

  /// Measures the network as it is. A collective.
  ///
  /// - Parameter worst: is given each of this rank's samples, to keep some.
  public func run(worst: WorstSamples? = nil) throws -> EvaluationReport {
    let start = ContinuousClock.now
    let progress = progress
    defer { progress?.hide() }
    let metrics = try trainer.evaluator.evaluateInDetail(
      loader, classes: checkpoint.classes.count,
      observeBatch: { show($0, on: progress) }
    ) {
      worst?.look(
        at: $0, $1, label: $2, $3, normalization: configuration.data.normalization,
        imageSize: configuration.data.imageSize)
    }
    return EvaluationReport(
      checkpoint: checkpoint.path, data: source,
      names: checkpoint.names(ofOutputs: trainer.network.specification.classes),
      metrics: metrics, operations: operations(at: metrics.overall),
      seconds: (ContinuousClock.now - start) / .seconds(1), notes: notes)
  }

  /// None where the output goes to a file or to another program.
  private var progress: ProgressLine? {
    trainer.replica.communicator.isRoot && Terminal.ofStandardOutput().isInteractive
      ? ProgressLine() : nil
  }

  private func show(_ batch: Int, on progress: ProgressLine?) {
    let count = loader.sampler.sampleCount
    progress?.show(
      "validation  image \(min(batch * configuration.training.globalBatch, count))/\(count)")
  }

  /// The operations of a sample at the rates that were measured.
  private func operations(at metrics: IterationMetrics) -> NetworkOperations {
    let network = trainer.network.plan
    return NetworkOperations(
      network, timesteps: configuration.method.timesteps,
      isStatic: configuration.framesOfASample == 1, rates: metrics.inputRates(of: network).byLayer)
  }

  /// What was measured of the network as it is and unrolled, for people.
  ///
  /// - Throws: `TrainingError` where it cannot run unrolled.
  public func runUnrolled() throws -> String {
    if let problem = trainer.network.unrollingProblem {
      throw TrainingError(
        description: "the network cannot run unrolled: \(problem); leave out --unroll")
    }
    let progress = progress
    defer { progress?.hide() }
    let found = try trainer.evaluator.compareUnrolled(loader) { show($0, on: progress) }
    let (levels, unrolled) = (found.levels, found.unrolled)
    func both(_ text: (IterationMetrics) -> String) -> String {
      "\(text(levels)), unrolled \(text(unrolled))"
    }
    func short(_ value: Float) -> String { String(format: "%.3g", value) }
    return withNotes(
      """
      samples              \(Format.count(Int(levels.samples))) of \(source)
      time steps           \(configuration.method.timesteps), unrolled \
      \(trainer.network.levels) x \(configuration.method.timesteps)
      validation loss      \(both(\.lossText))
      validation accuracy  \(both { Format.percent($0.accuracy, digits: 2) })
      spikes               \(both { Format.count(Int($0.spikes)) })
      same prediction      \(Format.percent(found.agreement, digits: 2)) of the samples
      logits differ by     \(short(found.largestDifference)) at most, the largest is \
      \(short(found.largestLogit))
      """)
  }

  private func withNotes(_ lines: String) -> String {
    notes.reduce(lines) { text, note in
      text + "\n" + note.title.padded(to: 21) + note.text
    }
  }
}
