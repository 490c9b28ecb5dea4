/// Ranks hold different values of what should be the same everywhere.
public struct ReplicaMismatch: Error, Equatable, CustomStringConvertible {
  /// What was compared, such as "initial weights".
  public let what: String
  /// The hash on every rank, in rank order.
  public let hashes: [UInt64]

  public init(what: String, hashes: [UInt64]) {
    (self.what, self.hashes) = (what, hashes)
  }

  /// The hash that most ranks have; of equally frequent ones, the one on the lowest rank.
  var commonHash: UInt64 {
    let counts = Dictionary(hashes.map { ($0, 1) }, uniquingKeysWith: +)
    let highest = counts.values.max()
    return hashes.first { counts[$0] == highest }!
  }

  /// The ranks whose hash is not the most frequent one.
  public var differingRanks: [Int] {
    let common = commonHash
    return hashes.indices.filter { hashes[$0] != common }
  }

  public var description: String {
    let ranks = differingRanks
    let list = ranks.map { "\($0) (\(hexadecimal(hashes[$0])))" }.joined(separator: ", ")
    let doubt = hashes.count == 2 ? " (of two ranks, either may be the wrong one)" : ""
    return """
      \(what) differ between ranks: rank\(ranks.count == 1 ? "" : "s") \(list) against \
      \(hexadecimal(commonHash)) on the others\(doubt). Check that all ranks run the same program with the \
      same configuration and data; if they do, suspect the memory or CPU of the nodes named.
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

private func hexadecimal(_ value: UInt64) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}
