import Foundation
import Support

/// The program that a process runs, and how it was called.
public struct ProgramIdentity: Sendable, Equatable {
  /// Where the executable lies.
  public let path: String
  /// A hash of the executable's bytes.
  public let hash: UInt64
  /// The command line without the program's name and without `--threads N`, which may differ between
  /// ranks.
  public let arguments: [String]

  /// - Parameter arguments: the whole command line, the program's name first.
  public init(path: String, hash: UInt64, commandLine: [String]) {
    (self.path, self.hash) = (path, hash)
    var kept: [String] = []
    var isValue = false
    for argument in commandLine.dropFirst() {
      if !isValue && argument != "--threads" && !argument.hasPrefix("--threads=") {
        kept.append(argument)
      }
      isValue = !isValue && argument == "--threads"
    }
    arguments = kept
  }

  /// This process's own. The executable has been read from the disk already, so it costs no more than a
  /// pass over memory.
  public static let current: ProgramIdentity = {
    let link = "/proc/self/exe"
    let path = (try? FileManager.default.destinationOfSymbolicLink(atPath: link)) ?? link
    var hash = XXHash64()
    // In parts, which take no memory beside what a small network needs.
    try? RandomAccessFile(path: link).forEachPart(of: 1 << 20) { part in
      part.withUnsafeBytes { hash.update($0) }
    }
    return ProgramIdentity(path: path, hash: hash.value, commandLine: CommandLine.arguments)
  }()

  var argumentHash: UInt64 {
    var bytes: [UInt8] = []
    for argument in arguments { bytes += argument.utf8 + [0] }
    return bytes.withUnsafeBytes { XXHash64.hash($0) }
  }
}

/// Ranks of one job were started as different programs, or with different arguments.
public struct MixedLaunch: Error, Equatable, CustomStringConvertible {
  /// What a rank runs: its executable, or its command line.
  public struct Variant: Equatable, Sendable {
    /// The first rank that runs it.
    public let rank: Int
    public let hostName: String
    public let text: String
  }

  public enum Difference: String, Sendable {
    case executables
    case arguments
  }

  public let difference: Difference
  /// What most ranks run.
  public let common: Variant
  /// The first of those that run something else.
  public let other: Variant
  /// All ranks that do not run what most do.
  public let differingRanks: [Int]

  public var description: String {
    let (one, two) = (common, other)
    let more = differingRanks.count - 1
    let others =
      more == 0 ? "" : "; \(more) other rank\(more == 1 ? " differs" : "s differ") too"
    switch difference {
    case .executables:
      return """
        the ranks run different executables: rank \(two.rank) on \(two.hostName) runs \(two.text), \
        which differs from \(one.text) of rank \(one.rank) on \(one.hostName)\(others). Install the \
        same build on every host, or start it from a file system that all hosts share.
        """
    case .arguments:
      return """
        the ranks were started with different arguments: rank \(two.rank) on \(two.hostName) with \
        '\(two.text)', rank \(one.rank) on \(one.hostName) with '\(one.text)'\(others). Start all \
        ranks with one command line; only --threads may differ.
        """
    }
  }
}

extension Communicator {
  /// Checks that all ranks run the same executable with the same arguments (a collective).
  ///
  /// - Throws: `MixedLaunch`, on every rank alike.
  public func checkSameProgram(
    _ identity: @autoclosure () -> ProgramIdentity = .current
  ) throws {
    guard size > 1 else { return }
    let program = identity()
    try check(.executables, hash: program.hash, text: program.path)
    let arguments = program.arguments.map { $0.contains(" ") || $0.isEmpty ? "\"\($0)\"" : $0 }
    try check(.arguments, hash: program.argumentHash, text: arguments.joined(separator: " "))
  }

  private func check(_ difference: MixedLaunch.Difference, hash: UInt64, text: String) throws {
    let hashes = try allGather(hash)
    let differing = hashes.differingRanks
    guard let other = differing.first else { return }
    func variant(_ rank: Int) throws -> MixedLaunch.Variant {
      MixedLaunch.Variant(
        rank: rank, hostName: try broadcast(hostName, root: rank),
        text: try broadcast(text, root: rank))
    }
    throw MixedLaunch(
      difference: difference,
      common: try variant(hashes.firstIndex(of: hashes.common)!), other: try variant(other),
      differingRanks: differing)
  }
}
