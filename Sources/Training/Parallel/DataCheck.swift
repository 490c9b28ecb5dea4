import Datasets
import Distributed
import Support

/// Ranks read different lists of samples from what is meant to be one data set.
public struct DifferentData: Error, Equatable, CustomStringConvertible {
  /// What a rank found.
  public struct Listing: Equatable, Sendable {
    public let rank: Int
    public let hostName: String
    public let location: String
    public let samples: Int
    public let classes: Int

    fileprivate var text: String {
      "rank \(rank) on \(hostName) found \(Format.counted(samples, "sample")) of"
        + " \(Format.counted(classes, "class")) in \(location)"
    }
  }

  /// What rank 0 found.
  public let expected: Listing
  /// What the first rank found that differs from it.
  public let found: Listing

  public var description: String {
    let sameSize =
      (expected.samples, expected.classes) == (found.samples, found.classes)
      ? ", but not the same ones" : ""
    return "the ranks see different data: \(expected.text), \(found.text)\(sameSize). Give every"
      + " host the same copy of the data set, complete and of the same version, or one that all share."
  }
}

extension Communicator {
  /// Checks that all ranks list the same samples in the same order (a collective).
  ///
  /// - Throws: `DifferentData`, on every rank alike.
  func checkSameSamples(of source: any SampleSource) throws {
    guard size > 1 else { return }
    let hashes = try allGather(try source.copyHash())
    guard let other = hashes.firstIndex(where: { $0 != hashes[0] }) else { return }
    let samples = try allGather(UInt64(source.count))
    let classes = try allGather(UInt64(source.classes.count))
    func listing(_ rank: Int) throws -> DifferentData.Listing {
      DifferentData.Listing(
        rank: rank, hostName: try broadcast(hostName, root: rank),
        location: try broadcast(source.location, root: rank), samples: Int(samples[rank]),
        classes: Int(classes[rank]))
    }
    throw DifferentData(expected: try listing(0), found: try listing(other))
  }
}
