extension Communicator {
  /// Replaces `words` by their bitwise OR over all ranks, each of which passes as many. A collective.
  ///
  /// Each rank joins its part of them for all, so that it takes no more memory on more ranks.
  public func unite(_ words: inout [UInt64]) throws {
    let count = words.count
    let length = (count + size - 1) / size
    words += [UInt64](repeating: 0, count: length * size - count)
    var received = words
    try words.withUnsafeBytes { own in
      try received.withUnsafeMutableBytes { try exchangeParts(own, into: $0) }
    }
    for index in 0..<length {
      words[rank * length + index] = (0..<size).reduce(0) { $0 | received[$1 * length + index] }
    }
    try words.withUnsafeMutableBytes { try allGatherParts($0) }
    words.removeLast(words.count - count)
  }
}
