import Support

/// What computes a run; of it depend its times, but for rounding not its results.
public struct RunResources: Codable, Hashable, Sendable, CustomStringConvertible {
  public var ranks: Int
  /// Of each rank.
  public var threads: Int
  /// Libraries and engines of convolutions, for people.
  public var kernels: String

  public init(ranks: Int, threads: Int, kernels: String) {
    (self.ranks, self.threads, self.kernels) = (ranks, threads, kernels)
  }

  /// Such as "2 ranks x 1 thread".
  public var size: String {
    Format.counted(ranks, "rank") + " x " + Format.counted(threads, "thread")
  }

  public var description: String { "\(size), \(kernels)" }
}
