import Testing

@testable import Distributed

@Suite struct HangTests {
  /// What rank 0 knows at 100 s: for each rank what it does, since when, and when it was last heard.
  private func hang(_ ranks: [(Activity?, changed: Double, heard: Double)]) -> Hang? {
    var sightings: [Int: Sighting] = [:]
    for (rank, (activity, changed, heard)) in ranks.enumerated() {
      var sighting = Sighting()
      if let activity {
        sighting.note(activity, at: changed)
        sighting.note(activity, at: heard)
      } else {
        sighting.noteLife(at: heard)
      }
      sightings[rank] = sighting
    }
    return Hang.find(in: sightings, at: 100, patience: 60)
  }

  private let reducing = Activity(.reducing, iteration: 118)
  private let computing = Activity(.computing, iteration: 118)
  private let finished = Activity(.finished)

  @Test func aRunThatGetsOnDoesNotHang() {
    #expect(
      hang([(computing, changed: 99, heard: 100), (reducing, changed: 98, heard: 99)]) == nil)
    #expect(hang([(reducing, changed: 40, heard: 40)]) == nil)
  }

  @Test func waitingForARankThatGetsOnIsNoHang() {
    let checkpoint = Activity(.writingCheckpoint, iteration: 118, progress: 7)
    #expect(
      hang([(checkpoint, changed: 95, heard: 100), (reducing, changed: 5, heard: 100)]) == nil)
    // The last one has just arrived.
    #expect(hang([(reducing, changed: 99, heard: 100), (reducing, changed: 5, heard: 100)]) == nil)
  }

  @Test func silentRanksAreAtFaultBeforeAnyOther() throws {
    let found = try #require(
      hang([
        (reducing, changed: 38, heard: 100), (computing, changed: 30, heard: 99),
        (reducing, changed: 20, heard: 37), (nil, changed: 0, heard: 0),
      ]))
    #expect(found.cause == .silence)
    #expect(found.stragglers.map(\.rank) == [2, 3])
    #expect(found.stragglers.map(\.seconds) == [63, 100])
    #expect(found.stragglers.map(\.activity) == [reducing, nil])
  }

  @Test(arguments: [Activity.Operation.reducing, .waitingForData])
  func aStoppedRankIsSilentThoughItsLastWordCameLater(operation: Activity.Operation) throws {
    let stopped = Activity(operation, iteration: 118)
    let found = try #require(
      hang([(reducing, changed: 39, heard: 100), (stopped, changed: 38, heard: 41)]))
    #expect(found.cause == .silence)
    #expect(found.stragglers.map(\.rank) == [1])
  }

  @Test func ranksThatDoNotWaitForOthersAreAtFault() throws {
    let data = Activity(.waitingForData, iteration: 118)
    let found = try #require(
      hang([
        (reducing, changed: 10, heard: 100), (data, changed: 11, heard: 100),
        (finished, changed: 0, heard: 0),
      ]))
    #expect(found.cause == .noProgress)
    #expect(found.stragglers == [.init(rank: 1, activity: data, seconds: 89)])
  }

  @Test func whenAllWaitTheLeastIterationIsAtFault() throws {
    let earlier = Activity(.reducing, iteration: 117)
    let found = try #require(
      hang([
        (reducing, changed: 10, heard: 100), (earlier, changed: 9, heard: 100),
        (earlier, changed: 8, heard: 100), (finished, changed: 0, heard: 0),
      ]))
    #expect(found.cause == .deadlock)
    #expect(found.stragglers.map(\.rank) == [1, 2])
  }

  @Test func ranksThatHaveFinishedNeedSayNothingMore() {
    #expect(hang([(finished, changed: 0, heard: 0), (finished, changed: 5, heard: 5)]) == nil)
    #expect(hang([(finished, changed: 0, heard: 0), (reducing, changed: 50, heard: 100)]) == nil)
  }

  @Test func ranksOfWhichNothingButLifeIsKnownAreJudgedByThat() {
    #expect(hang([(nil, changed: 0, heard: 50)]) == nil)
    #expect(hang([(nil, changed: 0, heard: 39)])?.cause == .silence)
  }

  /// What is said where ranks 2 and 3 of host b are at fault.
  private func message(_ cause: Hang.Cause, _ activities: [Activity?]) -> String {
    let stragglers = activities.enumerated().map { index, activity in
      Hang.Straggler(rank: 2 + index, activity: activity, seconds: 63.4)
    }
    return Hang(cause: cause, stragglers: stragglers)
      .message(hosts: ["a", "a", "b", "b"], timeout: 60)
  }

  @Test func theMessageOfASilentRank() {
    #expect(
      message(.silence, [reducing, nil])
        == """
        no sign of life from rank 2 on host b (63 s; last: all-reduce of iteration 118), rank 3 on \
        host b (63 s; last: unknown). The run stood still for more than --hang-timeout 60 s and \
        ends; it can go on from its last checkpoint. Such a process is stopped, or its host or the \
        network to it is down: look there before starting again.
        """)
    let unheard = Hang(cause: .silence, stragglers: [.init(rank: 1, activity: nil, seconds: 2.46)])
    #expect(
      unheard.message(hosts: ["a", "a"], timeout: 2)
        .contains("rank 1 on host a (2.5 s; last: unknown)"))
  }

  @Test func theMessageOfARankWithoutProgress() {
    #expect(
      message(.noProgress, [computing])
        == """
        no progress on rank 2 on host b (63 s; forward and backward pass of iteration 118). The \
        run stood still for more than --hang-timeout 60 s and ends; it can go on from its last \
        checkpoint. Usually a file system or a disk does not answer: try reading the data and \
        writing the output directory on that host. If the operation may take so long, raise \
        --hang-timeout.
        """)
  }

  @Test func theMessageOfRanksThatWaitForEachOther() {
    #expect(
      message(.deadlock, [reducing, Activity(.waitingForRanks, iteration: 118)])
        == """
        all ranks wait for each other, furthest behind rank 2 on host b (63 s; all-reduce of \
        iteration 118), rank 3 on host b (63 s; waiting for the other ranks after iteration 118). \
        The run stood still for more than --hang-timeout 60 s and ends; it can go on from its last \
        checkpoint. Usually the network between hosts lost data, or the ranks run different \
        programs or configurations.
        """)
  }

  @Test func longListsAreShortened() {
    func message(_ count: Int) -> String {
      let stragglers = (0..<count).map { Hang.Straggler(rank: $0, activity: reducing, seconds: 61) }
      return Hang(cause: .deadlock, stragglers: stragglers)
        .message(hosts: Array(repeating: "a", count: count), timeout: 60)
    }
    #expect(message(8).contains("rank 7 on host a (61 s; all-reduce of iteration 118). "))
    #expect(message(11).contains("rank 7 on host a (61 s; all-reduce of iteration 118) and 3 more"))
    #expect(!message(11).contains("rank 8"))
  }
}
