import Support

/// Ranks hold different values of what should be the same everywhere.
public struct ReplicaMismatch: Error, Equatable, CustomStringConvertible {
  /// What was compared, such as "initial weights".
  public let what: String
  /// The hash on every rank, in rank order.
  public let hashes: [UInt64]

  public init(what: String, hashes: [UInt64]) {
    (self.what, self.hashes) = (what, hashes)
  }

  /// The ranks whose hash is not the most frequent one.
  public var differingRanks: [Int] { hashes.differingRanks }

  public var description: String {
    let ranks = differingRanks
    let list = ranks.map { "\($0) (\(Checksum.digits(hashes[$0])))" }.joined(separator: ", ")
    let doubt = hashes.count == 2 ? " (of two ranks, either may be the wrong one)" : ""
    return """
      \(what) differ between ranks: rank\(ranks.count == 1 ? "" : "s") \(list) against \
      \(Checksum.digits(hashes.common)) on the others\(doubt). Check that all ranks run the same program \
      with the same configuration and data; if they do, suspect the memory or CPU of the nodes named.
      """
  }
}

extension Communicator {
  /// Compares `hash` over all ranks (a collective).
  ///
  /// - Parameter what: What the hash is of, in the plural, for the message: "initial weights".
  /// - Throws: `ReplicaMismatch`, on every rank alike, unless all hashes are equal.
  public func checkIdentical(hash: UInt64, what: String) throws {
    let hashes = try allGather(hash)
    guard hashes.allSatisfy({ $0 == hash }) else {
      throw ReplicaMismatch(what: what, hashes: hashes)
    }
  }
}

extension [UInt64] {
  /// The hash that most ranks have; of equally frequent ones, the one on the lowest rank.
  var common: UInt64 {
    let counts = Dictionary(map { ($0, 1) }, uniquingKeysWith: +)
    let highest = counts.values.max()
    return first { counts[$0] == highest }!
  }

  /// The ranks whose hash is not the common one.
  var differingRanks: [Int] {
    let common = common
    return indices.filter { self[$0] != common }
  }
}
