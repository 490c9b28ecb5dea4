import Configuration
import Datasets
import Distributed
import SpikingNetworks
import Support
import Tensors

/// A checkpoint's accuracy on the validation split, measured by all ranks together.
public final class Evaluation {
  private let trainer: DataParallelTrainer
  private let loader: DataLoader
  private let source: String
  private let notes: [SplitNote]

  /// - Throws: what makes it impossible, such as a data set of other classes than the checkpoint's.
  public init(
    of checkpoint: ModelFile, _ configuration: Configuration, backend: ConvolutionBackend,
    threads: Int, _ communicator: any Communicator
  ) throws {
    ThreadPool.setThreads(threads)
    let data = try DataSplits(configuration, communicator)
    let validation = try data.openValidation()
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
    loader = try configuration.loader(
      validation, isTraining: false, communicator, threads: threads)
  }

  /// What was measured, for people.
  public func run() throws -> String {
    let start = ContinuousClock.now
    let metrics = try trainer.evaluator.evaluate(loader)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let lines = """
      samples              \(Format.count(Int(metrics.samples))) of \(source)
      validation loss      \(Format.fixed(metrics.loss, 4))
      validation accuracy  \(Format.percent(metrics.accuracy, digits: 2))
      validation top-5     \(Format.percent(metrics.top5, digits: 2))
      firing rate          \(Format.percent(metrics.firingRate))
      speed                \(Format.rate(metrics.samples / seconds)) images/s
      """
    return notes.reduce(lines) { text, note in
      text + "\n" + note.title.padded(to: 21) + note.text
    }
  }
}
