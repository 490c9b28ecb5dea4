import Distributed
import Testing

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct WatchdogMPITests {
  let communicator: any Communicator

  init() throws {
    communicator = try Launch.current.communicator()
  }

  @Test func watchesFollowEachOtherAndLeaveNothingBehind() throws {
    for round in 0..<3 {
      let record = ActivityRecord()
      let watchdog = try #require(
        try Watchdog(record, timeout: 300, communicator))
      var values = [Float](repeating: 1, count: 1000)
      for iteration in 0..<200 {
        record.enter(.reducing, iteration: iteration)
        try values.withUnsafeMutableBufferPointer { try communicator.allReduceSum($0) }
        record.enter(.computing, iteration: iteration)
        for index in values.indices { values[index] /= Float(communicator.size) }
      }
      #expect(values.allSatisfy { $0 == 1 }, "round \(round)")
      watchdog.stop()
    }
  }
}
