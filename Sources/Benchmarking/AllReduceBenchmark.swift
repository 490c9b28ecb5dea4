import Distributed
import Support
import Tensors

/// Measures the all-reduce of gradients against its size and the length of its chunks.
public struct AllReduceBenchmark {
  private let communicator: any Communicator
  private let rounds: Int

  /// - Parameter rounds: of which the median counts.
  public init(_ communicator: any Communicator, rounds: Int) {
    (self.communicator, self.rounds) = (communicator, rounds)
  }

  /// Measures every size with every chunk length, in turns. A collective.
  ///
  /// - Parameters:
  ///   - counts: numbers of floats.
  ///   - chunkLengths: in floats; each is measured in both formats of the wire.
  public func run(counts: [Int], chunkLengths: [Int]) throws -> AllReduceReport {
    var rows: [AllReduceReport.Row] = []
    for count in counts {
      // A chunk as long as all of it is the plain all-reduce.
      let seconds = try times(
        count,
        [chunked(count, .float32)] + chunkLengths.map { chunked($0, .float32) }
          + chunkLengths.map { chunked($0, .bfloat16) })
      let row = AllReduceReport.Row(
        bytes: 4 * count, plainSeconds: seconds[0],
        chunkedSeconds: Array(seconds[1...chunkLengths.count]),
        roundedSeconds: Array(seconds[(1 + chunkLengths.count)...]))
      rows.append(row)
    }
    return AllReduceReport(ranks: communicator.size, chunkLengths: chunkLengths, rows: rows)
  }

  /// Seconds of one all-reduce of so many floats, in the chunks of training. A collective.
  func seconds(count: Int, wire: WireFormat) throws -> Double {
    try times(count, [chunked(GradientReducer.defaultChunkLength, wire)])[0]
  }

  private func chunked(_ length: Int, _ wire: WireFormat) -> GradientReducer {
    GradientReducer(communicator: communicator, chunkLength: length, wire: wire)
  }

  /// Seconds of one all-reduce by each reducer, on the slowest rank.
  private func times(_ count: Int, _ reducers: [GradientReducer]) throws -> [Double] {
    // Zeros stay as they are, however often they are added up; written, they have pages of their own.
    let values = FlatBuffer(count: count)
    // Small ones are over before a clock tells much.
    let repetitions = max(1, min(100, 100_000 / count))
    var measured = [[Double]](repeating: [], count: reducers.count)
    // The first round also sets up connections.
    for round in 0...rounds {
      for (index, reducer) in reducers.enumerated() {
        try communicator.barrier()
        let start = ContinuousClock.now
        for _ in 0..<repetitions {
          try values.all.withUnsafeMutableBufferPointer { try reducer.reduce($0) }
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1) / Double(repetitions)
        let slowest = try communicator.allGather(seconds: seconds).max()!
        if round > 0 { measured[index].append(slowest) }
      }
    }
    return measured.map(median)
  }
}
