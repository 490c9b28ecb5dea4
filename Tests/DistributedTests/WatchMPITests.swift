import Testing

@testable import Distributed

@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct WatchMPITests {
  let communicator: any Communicator

  init() throws {
    communicator = try Launch.current.communicator()
  }

  /// The ranks beat by hand, between collectives, until the monitors have heard of everybody.
  @Test func beatsReachTheMonitorsBesideCollectives() throws {
    let (rank, size) = (communicator.rank, communicator.size)
    var watch = Watch(
      rank: rank, nodes: try communicator.nodes(), timeout: 600,
      try communicator.messageChannel())
    func activity(_ operation: Activity.Operation, _ rank: Int) -> Activity {
      Activity(operation, iteration: 100 + rank, progress: UInt64(rank))
    }
    for operation in [Activity.Operation.reducing, .validating] {
      var isComplete = false
      while !isComplete {
        #expect(try watch.beat(activity(operation, rank), at: 0) == nil)
        let heard = watch.sightings.filter { $1.activity == activity(operation, $0) }.count
        let isMissing = rank < 2 && heard < size
        isComplete = try communicator.allGather(isMissing ? 1 : 0).allSatisfy { $0 == 0 }
      }
    }
    var isOver = false
    while !isOver {
      _ = try watch.beat(Activity(.finished), at: 0)
      let isMissing = try !watch.isOver()
      isOver = try communicator.allGather(isMissing ? 1 : 0).allSatisfy { $0 == 0 }
    }
  }
}
