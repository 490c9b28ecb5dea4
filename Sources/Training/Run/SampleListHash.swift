import Datasets

/// Stands for the samples of a split, with their labels and order, in a checkpoint.
public struct SampleListHash: Codable, Equatable, Sendable {
  /// Which way of hashing it is of; a new one, of a later program, says nothing about an old hash.
  private var method = 1
  private let hash: String

  init(of source: any SampleSource) {
    hash = String(source.fingerprint, radix: 16)
  }

  init(_ hash: String) { self.hash = hash }

  /// Whether the other may stand for the same list.
  func mayEqual(_ other: SampleListHash) -> Bool { method != other.method || self == other }
}
