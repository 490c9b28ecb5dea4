import Configuration
import Datasets
import Distributed
import SpikingNetworks
import Support
import Tensors

/// Computes the gradients of two learning rules on the same weights and batches of the training split.
public final class GradientComparer {
  /// A learning rule at work.
  private struct Contestant {
    let configuration: Configuration
    let pass: LocalPass

    var rule: GradientComparison.Rule {
      .init(
        name: configuration.method.name.rawValue,
        loss: configuration.lossSpecification.kind.rawValue)
    }
  }

  private let network: SpikingNetwork
  private let own, reference: Contestant
  private let loader: DataLoader
  private let seed: UInt64
  private let weights: String?
  private let data: String
  private var epoch = 0

  /// - Parameters:
  ///   - configuration: of training by one of the rules.
  ///   - reference: the other rule.
  ///   - checkpoint: whose weights count; left out: the initial ones.
  ///   - threads: of this process.
  /// - Throws: what makes it impossible, such as a rule that is not defined for the network.
  public init(
    _ configuration: Configuration, with reference: Configuration.Method.Name,
    weights checkpoint: ModelFile?, backend: ConvolutionBackend, threads: Int,
    _ communicator: any Communicator
  ) throws {
    guard reference != configuration.method.name else {
      throw TrainingError(
        description: "--compare \(reference.rawValue) is the configured method itself: name"
          + " another, or set method.name")
    }
    let changed = try configuration.learning(by: reference)
    if reference == .slttK {
      warn(
        "sltt-k back-propagates 1 time step here; for more set method.name to sltt-k and method.k, and"
          + " --compare \(configuration.method.name.rawValue)")
    }
    ThreadPool.setThreads(threads)
    let splits = try DataSplits(configuration, communicator)
    let training = try splits.openTraining()
    if let checkpoint {
      let trained = TrainedOn(checkpoint)
      try trained.requireClasses(training.classes)
      try trained.note(configuration)
    }
    let specification = try configuration.networkSpecification(classes: training.classes.count)
    let teacherCheckpoint = try TeacherCheckpoint(
      of: configuration, student: specification, classes: training.classes, communicator)
    for configuration in [configuration, changed] {
      try configuration.requireMemory(
        for: specification, backend, samples: training.count,
        teacher: teacherCheckpoint?.specification, communicator)
    }
    let network = try SpikingNetwork(
      specification, backend: backend, seed: configuration.training.seed)
    try checkpoint?.restore(network)
    let teacher = try teacherCheckpoint?.load(backend, arena: network.arena, communicator)
    func contestant(_ configuration: Configuration) -> Contestant {
      Contestant(
        configuration: configuration,
        pass: LocalPass(
          network: network,
          step: TrainingStep(
            network, configuration.method.rule, loss: configuration.lossSpecification,
            teacher: teacher),
          microBatch: configuration.training.microBatch))
    }
    (own, self.reference) = (contestant(configuration), contestant(changed))
    self.network = network
    loader = try configuration.loader(
      training, isTraining: true, communicator, threads: threads)
    seed = configuration.training.seed
    weights = checkpoint?.path
    data = training is EventFrames ? training.location : splits.name(of: training)
  }

  /// Compares the gradients of each of some batches, the first ones that training would take.
  ///
  /// - Throws: `TrainingError` where a gradient is not finite; what is wrong with the data.
  public func compare(batches: Int) throws -> GradientComparison {
    let store = network.store
    let parameters = store.parametersInForwardOrder
    // By parameter, of each batch.
    var agreements = [[GradientAgreement]](repeating: [], count: parameters.count)
    var samples = 0
    epoch = 0
    loader.begin(epoch: epoch)
    for index in 0..<batches {
      let batch = try nextBatch()
      try computeGradients(of: batch, index, by: own)
      let gradients = FlatBuffer(copying: store.gradients)
      try computeGradients(of: batch, index, by: reference)
      for (number, parameter) in parameters.enumerated() {
        agreements[number].append(
          GradientAgreement(gradients[store.range(of: parameter)], parameter.gradient))
      }
      samples += batch.count
    }
    let all = (0..<batches).map { index in
      agreements.reduce(GradientAgreement()) { $0 + $1[index] }
    }
    return GradientComparison(
      method: own.rule, reference: reference.rule, network: network.specification.summary,
      timesteps: own.configuration.method.timesteps, weights: weights, data: data,
      batches: batches, samples: samples,
      parameters: zip(parameters, agreements).map {
        .init($0.name, elements: $0.count, $1)
      },
      all: .init("all", elements: store.gradients.count, all))
  }

  /// The next batch, of the next epoch where one ends.
  private func nextBatch() throws -> Batch {
    if let batch = try loader.next() { return batch }
    epoch += 1
    loader.begin(epoch: epoch)
    guard let batch = try loader.next() else { preconditionFailure("an epoch has batches") }
    return batch
  }

  /// Leaves the gradients of a batch in the network's store, and all else as it was.
  ///
  /// - Parameter index: of the batch, by which random choices are made.
  private func computeGradients(
    of batch: Batch, _ index: Int, by contestant: Contestant
  ) throws {
    let store = network.store
    let statistics = FlatBuffer(copying: store.statisticValues.all)
    store.reduction.all.fill(0)
    _ = contestant.pass.accumulateGradients(of: batch, seed: seed, iteration: index)
    // The network forgets what it has seen for its running statistics.
    network.gatherStatistics(share: 1)
    store.statisticValues.all.assign(statistics.all, times: 1)
    let range = 0..<store.gradients.count
    guard let number = store.firstNonFiniteGradient(in: range) else { return }
    throw TrainingError(
      description: "the gradient of \(store.parametersInForwardOrder[number].name) by"
        + " \(contestant.rule.name) is not finite in batch \(index + 1)")
  }
}
