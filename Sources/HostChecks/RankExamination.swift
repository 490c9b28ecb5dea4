import Foundation

/// What one rank has to say, sent to rank 0.
struct RankExamination: Codable, Sendable {
  let rank: Int
  let hostName: String
  /// The number of the rank's node.
  let node: Int
  /// The cores that the rank may run on.
  let cores: [Int]
  /// The cores that its launcher may run on.
  let launcherCores: [Int]
  let threads: Int
  /// Bytes that the rank's node can still give.
  let availableMemory: Int
  var findings: [Finding] = []

  var json: String {
    get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
  }

  init(json: String) throws {
    self = try JSONDecoder().decode(Self.self, from: Data(json.utf8))
  }

  init(
    rank: Int, hostName: String, node: Int, cores: [Int], launcherCores: [Int], threads: Int,
    availableMemory: Int
  ) {
    (self.rank, self.hostName, self.node) = (rank, hostName, node)
    (self.cores, self.launcherCores, self.threads) = (cores, launcherCores, threads)
    self.availableMemory = availableMemory
  }
}
