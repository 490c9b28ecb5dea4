extension Communicator {
  /// For each rank the number of its node, which is that of the node's first rank. A collective.
  public func nodes() throws -> [Int] {
    let first = try allGatherOnNode([UInt64(rank)])[0][0]
    return try allGather(first).map { Int($0) }
  }
}
