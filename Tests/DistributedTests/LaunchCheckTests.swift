import Foundation
import Support
import Testing

@testable import Distributed

@Suite struct LaunchCheckTests {
  private func arguments(_ commandLine: String...) -> [String] {
    ProgramIdentity(path: "", hash: 0, commandLine: ["sltt-dist"] + commandLine).arguments
  }

  @Test func threadsMayDiffer() {
    #expect(arguments("train", "--threads", "4", "--set", "a=1") == ["train", "--set", "a=1"])
    #expect(arguments("train", "--set", "a=1", "--threads=4") == ["train", "--set", "a=1"])
    #expect(arguments("train", "--threads") == ["train"])
    #expect(arguments("--threads", "--threads", "x") == ["x"])
  }

  @Test func thisProgramIsTheTestProgram() throws {
    let program = ProgramIdentity.current
    #expect(program.path.hasSuffix(".xctest") || program.path.contains("swiftpm-testing-helper"))
    let bytes = try Data(contentsOf: URL(fileURLWithPath: program.path))
    #expect(program.hash == bytes.withUnsafeBytes { XXHash64.hash($0) })
  }

  @Test func theMessageShowsBothSides() {
    let mixed = MixedLaunch(
      difference: .arguments, common: .init(rank: 0, hostName: "a", text: "train --set x=1"),
      other: .init(rank: 2, hostName: "b", text: "train --set x=2"), differingRanks: [2, 3])
    #expect(
      "\(mixed)"
        == "the ranks were started with different arguments: rank 2 on b with 'train --set x=2',"
        + " rank 0 on a with 'train --set x=1'; 1 other rank differs too. Start all ranks with one"
        + " command line; only --threads may differ.")
    let program = MixedLaunch(
      difference: .executables, common: .init(rank: 0, hostName: "a", text: "/opt/sltt-dist"),
      other: .init(rank: 2, hostName: "b", text: "/usr/bin/sltt-dist"), differingRanks: [2])
    #expect(
      "\(program)".hasPrefix(
        "the ranks run different executables: rank 2 on b runs /usr/bin/sltt-dist, which differs"
          + " from /opt/sltt-dist of rank 0 on a. Install"))
  }
}
