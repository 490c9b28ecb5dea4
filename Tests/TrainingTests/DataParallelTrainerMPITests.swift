import Distributed
import SpikingNetworks
import Support
import Tensors
import TestSupport
import Testing

@testable import Training

/// Training on any number of ranks against the same training in one process, which every rank does
/// beside it.
@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct DataParallelTrainerMPITests {
  let communicator: any Communicator

  init() throws {
    communicator = try Launch.current.communicator()
  }

  static let methods: [[String]] = [
    ["method.name=sltt"], ["method.name=sltt-k", "method.k=2"], ["method.name=bptt"],
    ["method.name=ottt"], ["method.name=rate"],
  ]
  static let online = ["model.normalization=online"]
  static let normalizerFree: [[String]] = [
    ["model.family=nf-resnet", "model.blocks=[1,1]", "model.width=4"],
    ["model.family=nf-resnet-bottleneck", "model.blocks=[1,1]", "model.width=4"],
    // AdamW's state must be the same everywhere, too.
    ["model.family=nf-resnet", "model.blocks=[1]", "model.width=4", "optimizer.name=adamw"],
    dropping,
  ]
  private static let dropping = [
    """
    model.layers=[{convolution: {channels: 6, kernel: 3}}, neuron, {dropout: {probability: 0.2}}, \
    {convolution: {channels: 6, kernel: 3}}, neuron, {adaptive_pool: {size: 2}}, linear]
    """
  ]

  /// As published, a normalizer-free network starts with branches and a classifier that are 0, and would
  /// hide what the layers before them do; and one as narrow as this would hardly fire.
  private func openBranches(_ job: SmallJob) {
    job.assign { name, index in
      if name.hasSuffix("skipinit_gain") { return 2 }
      if name.hasSuffix(".gain") { return 2 }
      return name == "fc.weight" ? Float(index * 7 % 11 - 5) / 5 : nil
    }
  }

  /// Ranks have as many batches, also where some have no part in the last one.
  @Test func aStopOfOneRankEndsTheValidationOfAll() throws {
    let job = try SmallJob(["training.global_batch=3"], communicator)
    let expected = try job.evaluate()
    for last in 1...5 {
      var asked = 0
      let wantsStop = {
        asked += 1
        return asked == last && communicator.rank == communicator.size - 1
      }
      let stopped = try job.trainer.evaluator.evaluate(
        job.validation, iteration: 0, stoppingWhen: wantsStop)
      #expect(stopped == nil && asked == last)
    }
    var batches: [Int] = []
    let whole = try job.trainer.evaluator.evaluate(
      job.validation, iteration: 0, stoppingWhen: { false }, observe: { batches.append($0) })
    #expect(whole == expected && batches == Array(1...5))
  }

  @Test(arguments: normalizerFree, methods)
  func anyNumberOfRanksTrainsToTheSameWeights(_ model: [String], _ method: [String]) throws {
    let job = try SmallJob(model + method, communicator)
    let alone = try SmallJob(model + method, SingleProcess())
    openBranches(job)
    openBranches(alone)
    let before = alone.network.store.parameters.map(\.values.elements)
    let (metrics, expected) = (try job.train(epochs: 2), try alone.train(epochs: 2))

    #expect(expected.map(\.samples) == [10, 10, 3, 10, 10, 3])
    #expect(expected.reduce(0) { $0 + $1.firingRate } > 0.03 * 6)
    for (metrics, expected) in zip(metrics, expected) {
      #expect(metrics.samples == expected.samples && metrics.correct == expected.correct)
      #expect(metrics.spikes == expected.spikes && metrics.neuronSteps == expected.neuronSteps)
      #expect(metrics.inputs == expected.inputs && metrics.firing == expected.firing)
      #expect(abs(metrics.loss - expected.loss) < 1e-5 * expected.loss)
    }
    for (index, parameter) in job.network.store.parameters.enumerated() {
      let expected = alone.network.store.parameters[index].values.elements
      #expect(
        relativeDifference(parameter.values.elements, expected) < 2e-5, "\(parameter.name)")
      #expect(relativeDifference(before[index], expected) > 1e-3, "\(parameter.name) learns")
    }
    try job.trainer.replica.checkWeights("weights")
  }

  @Test(
    arguments: [
      [], ["optimizer.shard=true"], ["optimizer.shard=true", "distributed.overlap=true"],
    ] as [[String]])
  func gradientsAreClippedByTheNormOfAllRanksTogether(_ options: [String]) throws {
    let settings = Self.normalizerFree[0] + ["optimizer.clip_norm=0.05"]
    let alone = try SmallJob(settings, SingleProcess())
    let together = try SmallJob(settings + options, communicator)
    openBranches(alone)
    openBranches(together)
    let unclipped = try SmallJob(Self.normalizerFree[0], SingleProcess())
    openBranches(unclipped)
    // That of the gradient before it is clipped, also where it is measured only.
    let norms = try [alone, together, unclipped].map {
      try #require(try $0.trainOnce(measuresNorm: true).gradientNorm)
    }
    #expect(norms[0] == norms[2] && norms[0] > 0.05 && abs(norms[1] / norms[0] - 1) < 1e-5)
    _ = try alone.train(epochs: 1)
    _ = try together.train(epochs: 1)
    _ = try unclipped.train(epochs: 1)
    #expect(
      relativeDifference(
        together.network.store.weights.all.elements, alone.network.store.weights.all.elements)
        < 2e-5)
    #expect(
      relativeDifference(
        unclipped.network.store.weights.all.elements, alone.network.store.weights.all.elements)
        > 1e-3)
    try together.trainer.replica.checkWeights("weights")
  }

  /// In chunks that end anywhere in the units whose norms count.
  @Test(
    arguments: [
      ["training.micro_batch=2"], ["distributed.overlap=true"], ["optimizer.shard=true"],
      ["optimizer.shard=true", "distributed.overlap=true", "optimizer.clip_norm=0.05"],
    ] as [[String]])
  func unitsAreClippedByTheNormsOfAllRanksTogether(_ options: [String]) throws {
    let plain = Self.normalizerFree[0] + options.filter { $0.hasPrefix("optimizer.clip_norm") }
    let settings = plain + ["optimizer.agc=0.02"]
    let alone = try SmallJob(settings, SingleProcess())
    let together = try SmallJob(settings + options, communicator, chunkLength: 97)
    let unclipped = try SmallJob(plain, SingleProcess())
    for job in [alone, together, unclipped] {
      openBranches(job)
      _ = try job.train(epochs: 1)
    }
    func weights(_ job: SmallJob) -> [Float] { job.network.store.weights.all.elements }
    #expect(relativeDifference(weights(together), weights(alone)) < 2e-5)
    #expect(relativeDifference(weights(unclipped), weights(alone)) > 1e-3)
    try together.trainer.replica.checkWeights("weights")
  }

  /// Each rank asks the teacher about its own samples; rank 0 alone reads it.
  @Test(arguments: [[], ["training.micro_batch=2"]] as [[String]])
  func ranksLearnFromOneTeacher(_ options: [String]) throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("teacher.safetensors")
    let teacher = try SmallJob(["model.family=vgg", "model.blocks=[1]"], SingleProcess())
    _ = try teacher.train(epochs: 1)
    try teacher.write(to: path)
    func taught(by path: String) -> [String] {
      Self.normalizerFree[0] + ["distill.weight=0.8", "distill.checkpoint=\(path)"]
    }
    let together = try SmallJob(
      taught(by: communicator.isRoot ? path : "elsewhere") + options, communicator)
    let alone = try SmallJob(taught(by: path), SingleProcess())
    let untaught = try SmallJob(Self.normalizerFree[0], SingleProcess())
    for job in [together, alone, untaught] {
      openBranches(job)
      _ = try job.train(epochs: 2)
    }
    func weights(_ job: SmallJob) -> [Float] { job.network.store.weights.all.elements }
    #expect(relativeDifference(weights(together), weights(alone)) < 2e-5)
    #expect(relativeDifference(weights(untaught), weights(alone)) > 1e-3)
    try together.trainer.replica.checkWeights("weights")
  }

  /// With two ranks the sums are the same bits; with more they may be rounded differently.
  @Test(arguments: ["sgd", "adamw"]) func aDividedOptimizerTakesTheSameSteps(
    _ optimizer: String
  ) throws {
    let settings =
      Self.dropping + ["optimizer.name=\(optimizer)"]
    let whole = try SmallJob(settings, communicator)
    let divided = try SmallJob(settings + ["optimizer.shard=true"], communicator)
    openBranches(whole)
    openBranches(divided)
    let expected = try whole.train(epochs: 2)
    let metrics = try divided.train(epochs: 2)
    #expect(metrics.map(\.correct) == expected.map(\.correct))
    let weights = divided.network.store.weights.all.elements
    let expectedWeights = whole.network.store.weights.all.elements
    #expect(relativeDifference(weights, expectedWeights) < (communicator.size == 2 ? 1e-12 : 1e-5))
    try divided.trainer.replica.checkWeights("weights")

    #expect(try whole.trainer.replica.gatherOptimizerState(isWanted: true) == nil)
    #expect(try divided.trainer.replica.gatherOptimizerState(isWanted: false) == nil)
    let gathered = try divided.optimizerState()
    if communicator.isRoot {
      let expected = try whole.optimizerState()
      #expect(gathered.keys == expected.keys)
      for (name, values) in expected { #expect(relativeDifference(gathered[name]!, values) < 1e-4) }
    }
    let own = try #require(divided.trainer.replica.optimizer.state.first?.values.count)
    let count = weights.count
    #expect(own == count / communicator.size + count % communicator.size)
  }

  @Test func aBitThatFlipsOnOneRankIsNamedBeforeItSpreads() throws {
    let job = try SmallJob(["model.blocks=[1,1]", "model.width=4"], communicator)
    try job.trainOnce(comparesWeights: true)
    let last = communicator.size - 1
    if communicator.rank == last {
      let weights = job.network.store.weights.all
      weights[17] = Float(bitPattern: weights[17].bitPattern ^ 1)
    }
    let before = job.network.store.weights.all.elements
    let error = #expect(throws: ReplicaMismatch.self) { try job.trainOnce(comparesWeights: true) }
    #expect(error?.differingRanks == [last] && error?.what == "weights before iteration 2")
    #expect(job.network.store.weights.all.elements == before)
    #expect(job.trainer.iteration == 1)
  }

  @Test func allRanksSkipWhatIsNotFiniteOnOne() throws {
    let job = try SmallJob(["model.blocks=[1,1]", "model.width=4"], communicator)
    let last = communicator.size - 1
    let weights = job.network.store.weights.all
    let before = weights.elements
    if communicator.rank == last { job.assign { name, _ in name == "conv1.weight" ? .nan : nil } }
    let outcome = try job.trainOnce()
    weights.assign(before)
    job.network.weightsDidChange()
    #expect(outcome.nonFinite?.hasSuffix("is not finite in iteration 1 on rank \(last)") == true)
    #expect(job.trainer.replica.optimizer.updates == 0)
    try job.trainer.replica.checkWeights("weights")
    #expect(job.network.store.statisticValues.all.elements.allSatisfy { $0.isFinite })
    #expect(try job.trainOnce().nonFinite == nil)
    try job.trainer.replica.checkWeights("weights")
  }

  @Test func oneRankThatWantsToStopIsHeardByAll() throws {
    let job = try SmallJob(["model.blocks=[1]", "model.width=4"], communicator)
    #expect(try !job.trainOnce().wantsStop)
    #expect(try job.trainOnce(wantsStop: communicator.rank == communicator.size - 1).wantsStop)
  }

  @Test(arguments: [1, 4, 5, 10, 100]) func evaluationCountsEverySampleOnce(batch: Int) throws {
    let settings = Self.normalizerFree[0] + ["training.global_batch=\(batch)"]
    let job = try SmallJob(settings, communicator)
    let alone = try SmallJob(settings, SingleProcess())
    openBranches(job)
    openBranches(alone)
    let metrics = try job.evaluate()
    let expected = try alone.evaluate()
    #expect(metrics.samples == 13 && expected.samples == 13)
    #expect(metrics.correct == expected.correct && metrics.correctTop5 == 13)
    #expect(metrics.spikes == expected.spikes && metrics.neuronSteps == expected.neuronSteps)
    #expect(metrics.inputs == expected.inputs && metrics.firing == expected.firing)
    #expect(expected.firing!.layers.allSatisfy { $0.silent! < $0.neurons })
    #expect(abs(metrics.loss - expected.loss) < 1e-5 * expected.loss)
  }

  @Test(arguments: methods + [online, online + ["method.name=ottt"]])
  func normalizedReplicasStayIdentical(_ options: [String]) throws {
    let job = try SmallJob(
      ["model.blocks=[1,1]", "model.width=4", "model.dropout=0.2"] + options, communicator)
    let store = job.network.store
    let before = store.statisticValues.all.elements
    _ = try job.train(epochs: 2)
    #expect(zip(before, store.statisticValues.all.elements).allSatisfy { $0 != $1 })
    try job.trainer.replica.checkWeights("weights")
    for (what, values) in [("running statistics", store.statisticValues.all)]
      + job.trainer.replica.optimizer.state.map({ ($0.name, $0.values) })
    {
      let hash = values.elements.withUnsafeBytes { XXHash64.hash($0) }
      try communicator.checkIdentical(hash: hash, what: what)
    }
  }

  /// Means add up, so that of the first batch norm is known: the mean over the whole batch, however
  /// unequal the ranks' parts are.
  @Test(arguments: [3, 10, 23]) func runningStatisticsWeighRanksBySamples(batch: Int) throws {
    let settings = [
      "model.blocks=[1]", "model.width=4", "training.global_batch=\(batch)",
    ]
    func runningMean(_ communicator: any Communicator) throws -> [Float] {
      let job = try SmallJob(settings, communicator)
      try job.trainOnce()
      return try #require(
        job.network.store.statistics.first { $0.name == "layer1.0.bn1.running_mean" }
      ).values.elements
    }
    let (mean, expected) = (try runningMean(communicator), try runningMean(SingleProcess()))
    #expect(expected.contains { abs($0) > 1e-3 })
    #expect(relativeDifference(mean, expected) < 1e-5)
  }

  /// With online norm, the forward pass is the same for any number of ranks as long as weights stay, and so are
  /// the statistics: variances, too, of all layers. Neurons fire at so low a potential that no channel is the
  /// same for all pixels of a rank, where the layer would take its own statistics instead.
  @Test(arguments: [3, 10, 23]) func onlineStatisticsDoNotDependOnTheRanks(batch: Int) throws {
    let settings =
      [
        "model.blocks=[1,1]", "model.width=4", "neuron.threshold=0.25",
        "training.global_batch=\(batch)",
      ] + Self.online
    func statistics(_ communicator: any Communicator) throws -> [String: [Float]] {
      let job = try SmallJob(settings, communicator)
      for _ in 0..<3 { try job.trainOnce(learningRate: 0) }
      return Dictionary(
        uniqueKeysWithValues: job.network.store.statistics.map { ($0.name, $0.values.elements) })
    }
    let (statistics, expected) = (try statistics(communicator), try statistics(SingleProcess()))
    for (name, expected) in expected {
      #expect(relativeDifference(statistics[name]!, expected) < 1e-5, "\(name)")
      #expect(expected.contains { abs($0 - (name.hasSuffix("var") ? 1 : 0)) > 1e-3 }, "\(name)")
    }
  }

  /// With a batch norm that gives a constant, all neurons always fire, and the classifier's gradient
  /// depends on nothing but the masks of the samples.
  @Test(arguments: [3, 10, 23]) func dropoutDoesNotDependOnTheRanks(batch: Int) throws {
    func classifier(_ communicator: any Communicator, dropout: Double) throws -> [Float] {
      let job = try SmallJob(
        [
          "model.family=vgg", "model.blocks=[1]", "model.width=4", "model.dropout=\(dropout)",
          "training.global_batch=\(batch)",
        ], communicator)
      job.assign { name, _ in
        switch name {
        case "layer1.1.weight": 0
        case "layer1.1.bias": 2
        default: nil
        }
      }
      try job.trainOnce()
      return try #require(
        job.network.store.parameters.first { $0.name == "classifier.1.weight" }
      ).values.elements
    }
    let expected = try classifier(SingleProcess(), dropout: 0.5)
    #expect(relativeDifference(try classifier(communicator, dropout: 0.5), expected) < 1e-5)
    #expect(relativeDifference(try classifier(SingleProcess(), dropout: 0), expected) > 1e-2)
  }

  @Test func replicasThatDifferAreNamed() throws {
    guard communicator.size > 1 else { return }
    let job = try SmallJob(Self.normalizerFree[0], communicator)
    if communicator.rank == communicator.size - 1 { job.network.store.weights.all[0] += 1 }
    let error = #expect(throws: ReplicaMismatch.self) {
      try job.trainer.replica.checkWeights("weights")
    }
    #expect(error?.hashes.count == communicator.size)
    let seed = communicator.isRoot ? 1 : 2
    #expect(throws: ReplicaMismatch.self) {
      _ = try SmallJob(Self.normalizerFree[0] + ["training.seed=\(seed)"], communicator)
    }
  }
}
