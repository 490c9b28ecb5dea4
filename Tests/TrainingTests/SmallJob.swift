import Configuration
import Datasets
import Distributed
import SpikingNetworks
import Tensors
import TestSupport

@testable import Training

/// One rank of a small training job: 23 training and 13 validation images of three digits, so that the
/// last batch is a short one, and with four ranks one of them has no part in it.
struct SmallJob {
  let configuration: Configuration
  let trainer: DataParallelTrainer
  let training: DataLoader
  let validation: DataLoader
  private let isRoot: Bool

  /// - Parameters:
  ///   - overrides: what differs from a batch of 10, 3 time steps and 16x16 pixels.
  ///   - chunkLength: floats that are added up over the ranks at once.
  init(
    _ overrides: [String], _ communicator: any Communicator,
    chunkLength: Int = GradientReducer.defaultChunkLength
  ) throws {
    configuration = try Configuration(
      file: nil,
      overrides: ["training.global_batch=10", "method.timesteps=3", "data.image_size=16"]
        + overrides)
    isRoot = communicator.isRoot
    let images = try DigitSubset("train", counts: [8, 8, 7])
    trainer = try withOneThread { [configuration] in
      let network = try configuration.networkSpecification(classes: images.classes.count)
      return try DataParallelTrainer(
        configuration, network: network,
        teacher: TeacherCheckpoint(
          of: configuration, student: network, classes: images.classes, communicator),
        backend: .oneDNN, communicator, chunkLength: chunkLength)
    }
    training = try configuration.loader(images, isTraining: true, communicator, threads: 1)
    validation = try configuration.loader(
      DigitSubset("val", counts: [5, 4, 4]), isTraining: false, communicator, threads: 1)
  }

  /// A job of one rank with a tiny network, and where its checkpoints go: none is there yet.
  static func withCheckpoints() throws -> (TemporaryDirectory, CheckpointStore, SmallJob) {
    let directory = try TemporaryDirectory()
    return (
      directory, CheckpointStore(run: directory.path),
      try SmallJob(["model.blocks=[1]", "model.width=4"], SingleProcess())
    )
  }

  var network: SpikingNetwork { trainer.network }

  /// Writes the network as a model's file.
  func write(to path: String, classes: [String] = ["0", "1", "2"]) throws {
    try ModelFile.write(
      try Snapshot(network, trainer.replica.optimizer).modelTensors,
      configuration: configuration.yaml, classes: classes, to: path)
  }

  /// Gives parameters other values than their initial ones.
  ///
  /// - Parameter value: of element `index` of the parameter `name`; nil leaves the parameter alone.
  func assign(_ value: (_ name: String, _ index: Int) -> Float?) {
    for parameter in network.store.parameters {
      for index in 0..<parameter.count {
        guard let value = value(parameter.name, index) else { break }
        parameter.values[index] = value
      }
    }
    network.weightsDidChange()
  }

  /// Trains for whole epochs; returns what each iteration measured.
  func train(epochs: Int) throws -> [IterationMetrics] {
    var measured: [IterationMetrics] = []
    try withOneThread {
      for epoch in 0..<epochs {
        training.begin(epoch: epoch)
        while let batch = try training.next() {
          measured.append(try trainer.train(batch, learningRate: 0.05).metrics)
        }
      }
    }
    return measured
  }

  /// The first iteration of the first epoch.
  @discardableResult
  func trainOnce(
    learningRate: Double = 0.05, wantsStop: Bool = false, comparesWeights: Bool = false,
    measuresNorm: Bool = false
  ) throws -> IterationOutcome {
    training.begin(epoch: 0)
    let batch = try training.next()!
    return try withOneThread {
      try trainer.train(
        batch, learningRate: learningRate, wantsStop: wantsStop, comparesWeights: comparesWeights,
        measuresNorm: measuresNorm)
    }
  }

  /// The optimizer's state of the whole network, by the names of a checkpoint; empty on all ranks but the
  /// first where it is divided among them. A collective.
  func optimizerState() throws -> [String: [Float]] {
    let (store, optimizer) = (network.store, trainer.replica.optimizer)
    let gathering = try trainer.replica.gatherOptimizerState(isWanted: true)
    var values: [String: [Float]] = [:]
    if gathering == nil || isRoot {
      for parameter in store.parametersInForwardOrder {
        for (name, buffer) in optimizer.state {
          let own = try gathering?.next(parameter) ?? buffer[store.range(of: parameter)]
          values["\(name).\(parameter.name)"] = own.elements
        }
      }
    }
    try gathering?.finish()
    return values
  }

  /// What the validation images give.
  func evaluate() throws -> IterationMetrics {
    try withOneThread { try trainer.evaluator.evaluate(validation) }
  }
}

/// Runs `body` on one thread: so small a network would only wait for more.
func withOneThread<Result>(_ body: () throws -> Result) rethrows -> Result {
  try withThreads(1, body)
}
