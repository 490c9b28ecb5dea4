import Distributed
import Support

/// The collective of every iteration: its sum and its speed.
enum AllReduceCheck {
  private static let count = 2_500_000

  /// A collective.
  ///
  /// - Parameter reduce: replaces values by their sums over all ranks.
  static func finding(
    _ communicator: any Communicator,
    reduce: (UnsafeMutableBufferPointer<Float>) throws -> Void
  ) throws -> Finding {
    let (rank, ranks) = (communicator.rank, communicator.size)
    var seconds = Double.infinity
    var isRight = true
    // Whole numbers, so exact in any order, and small ones, so of any number of ranks.
    let sums = (0..<64).map { first in Float((0..<ranks).reduce(0) { $0 + (first + $1) % 64 }) }
    // The first one also sets up connections.
    for _ in 0..<3 {
      var values = (0..<count).map { Float(($0 + rank) % 64) }
      try communicator.barrier()
      let start = ContinuousClock.now
      try values.withUnsafeMutableBufferPointer { try reduce($0) }
      seconds = min(seconds, (ContinuousClock.now - start) / .seconds(1))
      isRight = isRight && values.indices.allSatisfy { values[$0] == sums[$0 % 64] }
    }
    let wrong = try communicator.allGather(isRight ? 0 : 1).enumerated().filter { $1 != 0 }
    func finding(_ text: String) -> Finding {
      Finding(section: .mpi, topic: "all-reduce", text: text)
    }
    guard wrong.isEmpty else {
      return finding("wrong sums on ranks \(Format.ranges(wrong.map(\.offset)))").failed(
        "Check the network and MPI's installation on their hosts; with Open MPI, try mpirun --mca"
          + " btl tcp,self")
    }
    guard ranks > 1 else { return finding("one rank needs none; start doctor through mpirun, too") }
    return finding(
      "right sums; 10 MB over \(ranks) ranks in \(Format.fixed(seconds * 1000, 1)) ms"
        + " (\(Format.fixed(Double(4 * count) / seconds / 1e9, 2)) GB/s)")
  }
}
