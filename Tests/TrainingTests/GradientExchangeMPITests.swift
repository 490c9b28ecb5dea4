import Distributed
import SpikingNetworks
import Support
import Tensors
import TestSupport
import Testing

@testable import Training

/// Options of the exchange of gradients, against the exchange by default: in chunks so short that a
/// network has many, of which the last ones cross from gradients to what else travels.
@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct GradientExchangeMPITests {
  let communicator: any Communicator

  init() throws {
    communicator = try Launch.current.communicator()
  }

  static let models: [[String]] = [
    ["model.family=resnet", "model.blocks=[1,1]", "model.width=4", "training.micro_batch=2"],
    ["model.family=nf-resnet", "model.blocks=[1,1]", "model.width=4", "neuron.kind=plif"],
    ["model.family=vgg", "model.blocks=[1,2]", "model.width=4", "method.name=bptt"],
    [
      "model.family=nf-resnet-bottleneck", "model.blocks=[1]", "model.width=4",
      "method.name=sltt-k", "method.k=2",
    ],
  ]
  static let bfloat16 = "distributed.wire=bfloat16"
  static let overlap = "distributed.overlap=true"
  static let shard = "optimizer.shard=true"

  private func job(_ settings: [String], chunkLength: Int = 97) throws -> SmallJob {
    let job = try SmallJob(settings, communicator, chunkLength: chunkLength)
    // So that every layer has gradients.
    job.assign { name, index in
      if name.hasSuffix("gain") { return 2 }
      return name == "fc.weight" ? Float(index * 7 % 11 - 5) / 5 : nil
    }
    return job
  }

  private func checkEqualOnAllRanks(_ job: SmallJob) throws {
    try job.trainer.replica.checkWeights("weights")
    let statistics = job.network.store.statisticValues.all.elements
    try communicator.checkIdentical(
      hash: statistics.withUnsafeBytes { XXHash64.hash($0) }, what: "running statistics")
  }

  /// Three iterations an epoch, of which the last leaves a rank of four without samples.
  @Test(arguments: models, [[], [bfloat16], [shard], [bfloat16, shard]])
  func overlapChangesNoBit(_ model: [String], _ options: [String]) throws {
    let plain = try job(model + options)
    let overlapped = try job(model + options + [Self.overlap])
    let expected = try plain.train(epochs: 2)
    let metrics = try overlapped.train(epochs: 2)
    let weights = plain.network.store.weights.all.elements
    #expect(overlapped.network.store.weights.all.elements == weights)
    #expect(
      overlapped.network.store.statisticValues.all.elements
        == plain.network.store.statisticValues.all.elements)
    #expect(metrics.map(\.loss) == expected.map(\.loss))
    #expect(metrics.map(\.spikes) == expected.map(\.spikes))
    let states = try [plain, overlapped].map { try $0.optimizerState() }
    #expect(states[0] == states[1])
    #expect(plain.trainer.replica.exchange.hiddenSeconds == 0)
    try checkEqualOnAllRanks(overlapped)
  }

  /// A gradient is rounded on its way to the sum, by at most 2^-9 of itself, and the sum once more; what
  /// is not a gradient is not rounded.
  @Test(arguments: models, [false, true])
  func bfloat16RoundsGradientsOnly(_ model: [String], isSharded: Bool) throws {
    let options = isSharded ? [Self.shard] : []
    let plain = try job(model + options)
    let rounded = try job(model + options + [Self.bfloat16])
    let before = plain.network.store.weights.all.elements
    let (outcome, expected) = (try rounded.trainOnce(), try plain.trainOnce())
    #expect(outcome.metrics.loss == expected.metrics.loss)
    #expect(outcome.metrics.spikes == expected.metrics.spikes)
    #expect(
      rounded.network.store.statisticValues.all.elements
        == plain.network.store.statisticValues.all.elements)
    // Updates by the gradients, which are as much as these rounded.
    func steps(_ job: SmallJob) -> [Float] {
      zip(job.network.store.weights.all.elements, before).map { $0 - $1 }
    }
    let difference = relativeDifference(steps(rounded), steps(plain))
    #expect(difference < 1 / 64)
    #expect((difference > 0) == (communicator.size > 1))
    try checkEqualOnAllRanks(rounded)
  }

  @Test func bothOptionsTrain() throws {
    let settings = [
      "model.blocks=[1,1]", "model.width=4", "data.augmentation=none", Self.overlap, Self.bfloat16,
    ]
    for options in [[], [Self.shard]] {
      let job = try job(settings + options)
      let metrics = try job.train(epochs: 15)
      let (first, last) = (metrics.prefix(3).map(\.loss), metrics.suffix(3).map(\.loss))
      #expect(last.reduce(0, +) < 0.85 * first.reduce(0, +))
      try checkEqualOnAllRanks(job)
    }
  }

  /// A chunk may have been added up before its rank knows of a number that is not finite.
  @Test(arguments: [[overlap], [overlap, bfloat16], [overlap, shard], [bfloat16, shard]])
  func allRanksSkipWhatIsNotFiniteOnOne(_ options: [String]) throws {
    let job = try job(["model.blocks=[1,1]", "model.width=4"] + options)
    let reference = try self.job(["model.blocks=[1,1]", "model.width=4"])
    let last = communicator.size - 1
    func trainWithNaN(_ job: SmallJob) throws -> String? {
      let weights = job.network.store.weights.all
      let before = weights.elements
      if communicator.rank == last {
        job.assign { name, _ in name == "layer2.0.conv1.weight" ? .nan : nil }
      }
      let outcome = try job.trainOnce()
      weights.assign(before)
      job.network.weightsDidChange()
      return outcome.nonFinite
    }
    let (problem, expected) = (try trainWithNaN(job), try trainWithNaN(reference))
    #expect(problem != nil && problem == expected)
    #expect(job.trainer.replica.optimizer.updates == 0)
    try checkEqualOnAllRanks(job)
    #expect(try job.trainOnce().nonFinite == nil)
    try checkEqualOnAllRanks(job)
  }

  @Test func aBitThatFlipsIsFoundWithBothOptions() throws {
    let job = try job(Self.models[0] + [Self.overlap, Self.bfloat16])
    try job.trainOnce(comparesWeights: true)
    let last = communicator.size - 1
    if communicator.rank == last {
      let weights = job.network.store.weights.all
      weights[17] = Float(bitPattern: weights[17].bitPattern ^ 1)
    }
    guard communicator.size > 1 else { return }
    let error = #expect(throws: ReplicaMismatch.self) { try job.trainOnce(comparesWeights: true) }
    #expect(error?.differingRanks.contains(last) == true)
  }

  @Test func recordsWhatTravels() throws {
    func exchange(_ options: String...) throws -> (GradientExchange, ParameterStore) {
      let replica = try job(Self.models[1] + options).trainer.replica
      return (replica.exchange, replica.network.store)
    }
    let (plain, store) = try exchange()
    #expect(plain.reduction.algorithm == "MPI_Allreduce, in place, by chunks")
    #expect(plain.reduction.chunkLength == 97)
    #expect(plain.reducedBytes == 4 * store.reduction.count)
    let (rounded, _) = try exchange(Self.bfloat16)
    #expect(rounded.reducedBytes == plain.reducedBytes - 2 * store.weights.count)
    #expect(rounded.reduction.algorithm.hasPrefix("MPI_Alltoall and MPI_Allgather of bfloat16"))
    guard communicator.size > 1 else { return }
    #expect(try exchange(Self.shard).0.reduction.algorithm.hasPrefix("MPI_Reduce_scatter_block"))
    let (divided, _) = try exchange(Self.bfloat16, Self.shard)
    #expect(divided.reduction.algorithm.hasPrefix("MPI_Alltoall of bfloat16"))
    let count = store.weights.count
    let dividedCount = count - count % communicator.size
    // 2 bytes on the way to the sums, 4 on the way back.
    #expect(divided.reducedBytes == plain.reducedBytes - dividedCount)
    // A number for each unit.
    let (clipped, _) = try exchange("optimizer.agc=0.01", Self.shard)
    #expect(clipped.reducedBytes > plain.reducedBytes)
    #expect(try exchange("optimizer.agc=0.01").0.reducedBytes == plain.reducedBytes)
  }
}
