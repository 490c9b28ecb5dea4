import Testing

@testable import Distributed

struct NodeMemoryTests {
  private let information = "MemTotal:       2048 kB\nMemFree:  1 kB\nMemAvailable:   1024 kB\n"

  @Test func theKernelsFiguresAreInKilobytes() throws {
    let memory = try #require(NodeMemory(information: information, limit: 4096))
    #expect(memory.total == 2048 * 1024 && memory.available == 1024 * 1024 && memory.limit == 4096)
  }

  @Test func aLimitBeyondTheMachineIsNone() throws {
    let memory = try #require(NodeMemory(information: information, limit: 0x7fff_ffff_ffff_f000))
    #expect(memory.limit == nil)
  }

  @Test(arguments: ["", "MemTotal: 5 kB\n", "MemTotal: 5 kB\nMemAvailable: x kB\n"])
  func withoutFiguresThereIsNothing(text: String) {
    #expect(NodeMemory(information: text, limit: nil) == nil)
  }

  @Test func thisMachineHasMemory() throws {
    let memory = try #require(NodeMemory.current)
    #expect(0 < memory.available && memory.available <= memory.total)
  }
}
