import Testing

@testable import Distributed

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct LaunchCheckMPITests {
  let communicator: any Communicator

  init() throws {
    communicator = try Launch.current.communicator()
  }

  private var last: Int { communicator.size - 1 }

  private func program(hash: UInt64 = 7, _ arguments: String...) -> ProgramIdentity {
    ProgramIdentity(
      path: "program \(communicator.rank)", hash: hash, commandLine: ["sltt-dist"] + arguments)
  }

  @Test func ranksOfOneProgramPass() throws {
    try communicator.checkSameProgram()
    try communicator.checkSameProgram(program("train", "--threads", "\(communicator.rank)"))
  }

  @Test func anotherExecutableIsNamed() throws {
    let error = try #require(throws: MixedLaunch.self) {
      try communicator.checkSameProgram(program(hash: communicator.rank == last ? 8 : 7))
    }
    #expect(error.difference == .executables && error.differingRanks == [last])
    #expect(error.other.rank == last && error.other.text == "program \(last)")
    #expect(error.common.rank == 0 && error.common.text == "program 0")
    #expect(error.other.hostName == communicator.hostName)
  }

  @Test func bothCommandLinesAreShown() throws {
    let error = try #require(throws: MixedLaunch.self) {
      try communicator.checkSameProgram(
        communicator.rank == last ? program("train", "b c") : program("train", "b", "c", "d"))
    }
    #expect(error.difference == .arguments && error.differingRanks == [last])
    #expect(error.other.text == "train \"b c\"" && error.common.text == "train b c d")
  }

  @Test func argumentsAreComparedOneByOne() throws {
    #expect(throws: MixedLaunch.self) {
      try communicator.checkSameProgram(
        communicator.rank == last ? program("b c") : program("b", "c"))
    }
  }

  @Test func textsOfAllRanksAreGathered() throws {
    let texts = try communicator.allGather(String(repeating: "x", count: communicator.rank))
    #expect(texts == (0...last).map { String(repeating: "x", count: $0) })
  }
}
