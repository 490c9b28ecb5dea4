import Configuration
import Datasets
import Distributed
import SpikingNetworks
import Support
import Tensors

/// What a trained network says of files without labels. They become its input as those of the validation
/// split do.
public final class Predictor {
  /// What the outputs of the network mean.
  public let names: [String]
  private let configuration: Configuration
  private let backend: ConvolutionBackend
  private let threads: Int
  private let model: ModelFile
  private let specification: NetworkSpecification
  private var source: any UnlabelledSource

  /// - Parameters:
  ///   - batch: samples that are prepared at once; as in training if left out.
  ///   - threads: of the network, and for the preparation as many as in training with them.
  /// - Throws: `ConfigurationError`, `NetworkError` or `SafeTensorsError` where the file holds no network.
  public init(
    of model: ModelFile, batch: Int?, backend: ConvolutionBackend, threads: Int
  ) throws {
    var configuration = try model.resolvedConfiguration()
    if let batch { configuration.training.globalBatch = batch }
    specification = try configuration.networkSpecification(classes: model.classes.count)
    source =
      configuration.inputChannels == 2
      ? UnlabelledRecordings(
        configuration.data.convention, rule: configuration.frameRule,
        timesteps: configuration.method.timesteps)
      : UnlabelledImages()
    names = model.names(ofOutputs: specification.classes)
    self.configuration = configuration
    (self.model, self.backend, self.threads) = (model, backend, threads)
  }

  /// Adds what is at a path.
  ///
  /// - Throws: `DatasetError` where there is nothing to add.
  public func add(_ path: RawPath) throws { try source.add(path.withoutSlashAtEnd) }

  /// Goes through all that was added, in this order.
  ///
  /// - Parameter take: is given each sample's name, and what the network says of it, or why that cannot be
  ///   told.
  public func run(
    _ take: (_ name: String, Result<Prediction, any Error>) throws -> Void
  ) throws {
    guard source.count > 0 else { return }
    ThreadPool.setThreads(threads)
    try configuration.requireMemoryToPredict(with: specification, backend, samples: source.count)
    let network = try SpikingNetwork(specification, backend: backend, seed: 0)
    try model.restore(network)
    let pass = LocalPass(
      network: network,
      step: TrainingStep(
        network, configuration.method.rule, loss: configuration.lossSpecification),
      microBatch: configuration.training.microBatch)
    let input = TolerantInput(try configuration.input(source, isTraining: false))
    let loader = DataLoader(
      input,
      sampler: Sampler(
        sampleCount: source.count, globalBatch: configuration.training.globalBatch, rank: 0,
        rankCount: 1, order: .sequential),
      seed: 0, workers: configuration.workers(threads: threads))
    loader.begin(epoch: 0)
    var sample = 0
    while let batch = try loader.next() {
      for prediction in pass.predict(batch) {
        try take(source.name(of: sample), result(prediction, input.failure(of: sample), of: sample))
        sample += 1
      }
    }
  }

  private func result(
    _ prediction: Prediction?, _ failure: DatasetError?, of sample: Int
  ) -> Result<Prediction, any Error> {
    if let failure { return .failure(failure) }
    guard let prediction else {
      return .failure(
        TrainingError(
          description: "\(source.name(of: sample)): the network's output is no finite number"))
    }
    return .success(prediction)
  }
}
