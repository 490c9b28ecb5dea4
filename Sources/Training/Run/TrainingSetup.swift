import Configuration
import Datasets
import Distributed
import Foundation
import SpikingNetworks
import Support
import Tensors

/// What a run is made of: opened, checked and made by all ranks together.
public struct TrainingSetup {
  let configuration: Configuration
  let data: TrainingData
  let trainer: DataParallelTrainer
  /// Where the trainer notes how long things take.
  let profile = StepProfile()
  /// The network that is learnt from, for people, if there is one.
  let teacher: String?
  /// Stands for its weights.
  let teacherChecksum: String?
  let trainingLoader: DataLoader
  let validationLoader: DataLoader
  /// Stands for the training samples and their order.
  let trainingList: SampleListHash
  /// Where the run writes, on rank 0.
  let output: OutputDirectory?
  /// The checkpoint that it goes on from, if it does, on rank 0.
  let resumed: Checkpoint?
  /// Where its weights come from, for people, where they are others' and it does not go on; on rank 0.
  let weightSource: String?
  let communicator: any Communicator
  let backend: ConvolutionBackend
  /// Of this rank.
  let threads: Int
  /// Bytes of this process before the network was made.
  let residentBefore: Int

  /// - Parameters:
  ///   - output: where to write, on rank 0; it is claimed.
  ///   - resuming: where the run is to go on, if it is, on rank 0.
  ///   - initial: the weights to begin with where it does not go on.
  ///   - threads: of this rank.
  /// - Throws: what makes the run impossible: `ConfigurationError`, `DatasetError`, `NetworkError`,
  ///   `CheckpointError`, `ReplicaMismatch`.
  public init(
    _ configuration: Configuration, backend: ConvolutionBackend, threads: Int,
    output: OutputDirectory?, resuming: Checkpoint? = nil, initial: InitialWeights? = nil,
    _ communicator: any Communicator
  ) throws {
    try configuration.validate(ranks: communicator.size)
    (self.configuration, self.communicator) = (configuration, communicator)
    (self.backend, self.threads) = (backend, threads)
    (self.output, resumed) = (output, resuming)
    ThreadPool.setThreads(threads)
    let newOutput = resuming == nil ? output : nil
    try newOutput?.requireApartFromCheckpoints()
    if let path = configuration.data.path { try newOutput?.requireApart(from: path) }
    data = try TrainingData(configuration, communicator)
    trainingList = SampleListHash(of: data.training)
    try newOutput?.requireApart(fromClassesOf: data)
    let network = try configuration.networkSpecification(classes: data.classes.count)
    let teacher = try TeacherCheckpoint(
      of: configuration, student: network, classes: data.classes, communicator)
    communicator.activity.enter(.starting)
    try configuration.requireMemory(
      for: network, backend, samples: data.training.count, teacher: teacher?.specification,
      communicator)
    residentBefore = residentBytes()
    trainer = try DataParallelTrainer(
      configuration, network: network, teacher: teacher, backend: backend, communicator,
      profile: profile)
    self.teacher = teacher?.summary
    teacherChecksum = trainer.teacher?.checksum
    trainingLoader = try configuration.loader(
      data.training, isTraining: true, communicator, threads: threads)
    validationLoader = try configuration.loader(
      data.validation, isTraining: false, communicator, threads: threads)
    weightSource =
      resuming == nil && communicator.isRoot
      ? try initial?.load(into: trainer.network, data.classes, configuration) : nil
    if communicator.isRoot { try output?.claim() }
    if initial != nil { try trainer.replica.shareWeights() }
  }

  var iterationsPerEpoch: Int { trainingLoader.sampler.iterations }

  /// Of the whole run.
  var iterations: Int {
    let all = configuration.training.epochs * iterationsPerEpoch
    return min(all, configuration.training.maxIterations ?? all)
  }

  var resources: RunResources {
    RunResources(ranks: communicator.size, threads: threads, kernels: backend.summary)
  }

  /// Of this rank.
  var expectedMemory: MemoryEstimate {
    MemoryEstimate(
      trainer.network.plan, configuration, ranks: communicator.size,
      batch: trainingLoader.sampler.largestBatch,
      optimizerBuffers: trainer.replica.optimizer.state.count,
      teacher: trainer.teacher?.network.plan, before: residentBefore)
  }

  /// Checks that a run goes on with the network and the batches with which it began.
  ///
  /// - Parameter state: of the checkpoint that it goes on from.
  /// - Throws: `ConfigurationError`, `CheckpointError`.
  func requireSameCourse(as state: RunState) throws {
    let anew = "or start a new run from its weights with --init-from"
    let trained = TrainedOn(
      path: output?.path ?? "the run", classes: state.classes, configuration: state.configuration)
    try trained.requireClasses(
      data.classes, remedy: ": go on with the same data, \(anew)")
    if let difference = try trained.differences(from: configuration, includingCourse: true).first {
      throw configuration.error(
        difference.key,
        "is \(difference.now), but the run began with \(difference.before): leave it at that, \(anew)"
      )
    }
    guard state.teacher == teacherChecksum else {
      let problem =
        switch (state.teacher, teacherChecksum) {
        case (_, nil): "is not set, but the run began with a teacher: set it"
        case (nil, _): "is set, but the run began without a teacher: remove it"
        default: "holds other weights than the teacher that the run began with: name that one"
        }
      throw configuration.error("distill.checkpoint", "\(problem), \(anew)")
    }
    guard state.trainingSamples == data.training.count else {
      throw configuration.error(
        "data.path",
        "has \(data.training.count) training samples, but the run began with"
          + " \(state.trainingSamples): go on with the same data, \(anew)")
    }
    guard state.trainingList.map(trainingList.mayEqual) ?? true else {
      throw configuration.error(
        "data.path",
        "has as many training samples as the run began with, but under other names or labels:"
          + " go on with the same data, \(anew)")
    }
  }
}
