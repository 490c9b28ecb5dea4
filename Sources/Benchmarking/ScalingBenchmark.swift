import Configuration
import Distributed
import SpikingNetworks
import Support
import Tensors
import Training

/// What ranks do between their collectives.
public enum ScalingWork {
  /// They train.
  case training(BenchmarkSource)
  /// They sleep for so many seconds an iteration, so that many ranks share few cores.
  case sleeping(seconds: Double)
}

/// Training on a number of ranks. Times are seconds, medians of the iterations.
public struct ScalingMeasurement: Codable, Sendable {
  /// An all-reduce by itself, in the chunks of training.
  struct AllReduce: Codable {
    let floats: Int
    let seconds: Double
  }

  /// For people, as is what was trained on.
  let network: String
  let source: String
  let ranks: Int
  let threads: Int
  let globalBatch: Int
  /// Of the slowest rank.
  let iterationSeconds: Double
  /// For which ranks wait for their batches: means over the ranks.
  let dataWaitSeconds: Double
  /// Forward, backward and update: means over the ranks.
  let computeSeconds: Double
  /// The all-reduce on the rank that reached it last, as far as the backward pass did not hide it.
  let communicationSeconds: Double
  /// What the backward pass hid, on the rank that waited least in it.
  let hiddenSeconds: Double
  /// How much longer the others were in it, for they had to wait: the mean over the ranks.
  let waitSeconds: Double
  /// Of each rank, over the time in which it computes.
  let computingRates: [Double]
  /// What is all-reduced in an iteration.
  let reducedFloats: Int
  let reducedBytes: Int
  /// The numbers in which gradients travel.
  let wire: WireFormat
  let chunkLength: Int
  /// How it is all-reduced.
  let algorithm: String
  let allReduces: [AllReduce]
  /// Spikes for each neuron and time step; nil where ranks slept in place of computing.
  let firingRate: Double?
  /// The host of each rank and the cores that it may run on.
  let bindings: [String]

  var imagesPerSecond: Double { Double(globalBatch) / iterationSeconds }
}

extension ScalingMeasurement {
  /// The files of traces.
  public static let traceKind = ResultKind(
    "trace of ranks", beginning: "# network ", marks: ["# iterations "])

  /// Trains, and notes what ranks do. A collective.
  ///
  /// - Parameters:
  ///   - threads: of every rank.
  ///   - iterations: to measure, after some that are not.
  ///   - trace: a file for what the ranks did in these iterations, written by rank 0.
  public init(
    _ configuration: Configuration, _ work: ScalingWork, backend: ConvolutionBackend, threads: Int,
    iterations: Int, trace: String? = nil, _ communicator: any Communicator
  ) throws {
    // Before the work, whether it can be written.
    let file =
      try communicator.isRoot ? trace.map { try ResultFile(path: $0, Self.traceKind) } : nil
    let recorder = TracingCommunicator(communicator)
    let source: BenchmarkSource? = if case .training(let source) = work { source } else { nil }
    let job = try BenchmarkJob(
      configuration, source ?? .synthetic(firingRate: nil), backend: backend, threads: threads,
      recorder)
    let times = try ScalingTimes(of: iterations, job, recorder) {
      switch work {
      case .training: try job.iterate()
      case .sleeping(let seconds): try job.iterate(sleeping: seconds)
      }
    }

    network = job.trainer.network.specification.summary
    self.source = source?.name ?? "ranks that sleep in place of computing"
    dataWaitSeconds = median(times.dataWait.map(mean))
    ranks = communicator.size
    self.threads = threads
    globalBatch = configuration.training.globalBatch
    iterationSeconds = median(times.all.map { $0.max()! })
    computeSeconds = median(times.compute.map(mean))
    communicationSeconds = median(times.reduce.map { $0.min()! })
    hiddenSeconds = median(times.hidden.map { $0.min()! })
    waitSeconds = median(times.reduce.map { mean($0) - $0.min()! })
    let parts = try communicator.allGather(UInt64(job.localBatch))
    computingRates = parts.indices.map { rank in
      Double(parts[rank]) / median(times.compute.map { $0[rank] })
    }
    let floats = job.trainer.network.store.reduction.count
    reducedFloats = floats
    reducedBytes = job.trainer.replica.exchange.reducedBytes
    wire = configuration.distributed.wire
    chunkLength = job.trainer.replica.exchange.reduction.chunkLength
    algorithm = job.trainer.replica.exchange.reduction.algorithm
    let reducer = AllReduceBenchmark(communicator, rounds: 5)
    let wire = wire
    allReduces =
      try communicator.size == 1
      ? []
      : [1000, 10_000, 100_000, 400_000, floats].map {
        AllReduce(floats: $0, seconds: try reducer.seconds(count: $0, wire: wire))
      }
    firingRate = source.map { _ in times.metrics.firingRate }
    bindings = try communicator.allGather(
      "\(communicator.hostName): cores \(Format.ranges(ProcessorBudget.cores()))")
    guard trace != nil else { return }
    let actions = try communicator.allGather(
      times.traces.text(rank: communicator.rank, ranks: communicator.size))
    let heading = traceHeading(configuration, iterations: iterations)
    try file?.finish(with: (heading + actions.joined()).utf8)
  }

  /// What a trace says of itself.
  private func traceHeading(_ configuration: Configuration, iterations: Int) -> String {
    let facts: [(String, Any)] = [
      ("network", network), ("ranks", ranks), ("batch", globalBatch / ranks),
      ("threads", threads), ("iterations", iterations), ("wire", wire.rawValue),
      ("shard", configuration.optimizer.isSharded), ("overlap", configuration.distributed.overlaps),
      ("reduced_bytes", reducedBytes),
    ]
    return facts.map { "# \($0) \($1)\n" }.joined()
  }
}

/// What iterations took on all ranks, in seconds: for each iteration a number of every rank.
private struct ScalingTimes {
  let all, dataWait, reduce, hidden: [[Double]]
  /// Of this rank, as are the metrics.
  let traces: [IterationTrace]
  let metrics: IterationMetrics

  /// What is left without waiting for data and for the other ranks.
  var compute: [[Double]] {
    all.indices.map { iteration in
      all[iteration].indices.map {
        all[iteration][$0] - dataWait[iteration][$0] - reduce[iteration][$0]
      }
    }
  }

  /// A collective.
  init(
    of iterations: Int, _ job: BenchmarkJob, _ recorder: TracingCommunicator,
    iterate: () throws -> IterationMetrics
  ) throws {
    let exchange = job.trainer.replica.exchange
    for _ in 0..<2 { _ = try iterate() }
    var metrics = IterationMetrics()
    var own: [(all: Double, wait: Double, reduce: Double, hidden: Double)] = []
    var traces: [IterationTrace] = []
    for _ in 0..<iterations {
      job.profile.reset()
      let hidden = exchange.hiddenSeconds
      recorder.begin()
      let start = ContinuousClock.now
      metrics.add(try iterate())
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      traces.append(recorder.end(dataWait: job.dataWait))
      let reduce = job.profile.phases[.reduce]?.seconds ?? 0
      own.append((seconds, job.dataWait, reduce, exchange.hiddenSeconds - hidden))
    }
    (self.traces, self.metrics) = (traces, metrics)
    all = try own.map { try recorder.allGather(seconds: $0.all) }
    dataWait = try own.map { try recorder.allGather(seconds: $0.wait) }
    reduce = try own.map { try recorder.allGather(seconds: $0.reduce) }
    hidden = try own.map { try recorder.allGather(seconds: $0.hidden) }
  }
}

extension Communicator {
  /// Every rank's number of seconds, in rank order.
  func allGather(seconds: Double) throws -> [Double] {
    try allGather(seconds.bitPattern).map { Double(bitPattern: $0) }
  }
}
