import Synchronization
import Testing

@testable import Distributed

@Suite struct WatchTests {
  @Test func aRunThatGetsOnIsLeftAlone() throws {
    var job = Job(nodes: [0, 0, 0, 0])
    try job.run(seconds: 40)
    // A long operation that shows signs of progress, for which the others wait.
    for progress in 0..<20 {
      job.activities[3] = Activity(.writingCheckpoint, iteration: 40, progress: UInt64(progress))
      #expect(try job.hangs(after: 8).isEmpty)
    }
  }

  @Test func theFirstMonitorNamesASilentRank() throws {
    var job = Job(nodes: [0, 0, 0, 0])
    try job.run(seconds: 5)
    job.stopped = [2]
    let hangs = try job.hangs(after: 12)
    #expect(hangs[0]?.cause == .silence)
    #expect(hangs[0]?.stragglers.map(\.rank) == [2])
    // The second gives the first some beats; the last watches the monitors only.
    #expect(hangs.keys.sorted() == [0])
  }

  @Test(arguments: [([0, 0, 0, 0], 1), ([0, 0, 2, 2], 2)])
  func aMonitorOfAnotherNodeStandsInForTheFirst(nodes: [Int], second: Int) throws {
    var job = Job(nodes: nodes)
    try job.run(seconds: 5)
    job.stopped = [0]
    #expect(try job.hangs(after: 12).isEmpty)
    let hangs = try job.hangs(after: 3)
    #expect(hangs.keys.sorted() == [second])
    #expect(hangs[second]?.stragglers.map(\.rank) == [0])
  }

  @Test func withoutMonitorsTheOthersEndTheRun() throws {
    var job = Job(nodes: [0, 0, 0, 0])
    try job.run(seconds: 5)
    job.stopped = [0, 1]
    #expect(try job.hangs(after: 19).isEmpty)
    let hangs = try job.hangs(after: 4)
    #expect(hangs.keys.sorted() == [2, 3])
    #expect(hangs[3]?.stragglers.map(\.rank) == [0, 1])
  }

  @Test func aRankThatSitsInAFileSystemIsNamed() throws {
    var job = Job(nodes: [0, 0, 0])
    job.activities[2] = Activity(.waitingForData, iteration: 9)
    let hangs = try job.hangs(after: 13)
    #expect(hangs[0]?.cause == .noProgress)
    #expect(hangs[0]?.stragglers.map(\.rank) == [2])
    #expect(hangs[0]?.stragglers.first?.activity == job.activities[2])
  }

  @Test func aSingleProcessWatchesItself() throws {
    var job = Job(nodes: [0])
    job.activities[0] = Activity(.waitingForData)
    #expect(try job.hangs(after: 9).isEmpty)
    #expect(try job.hangs(after: 3)[0]?.cause == .noProgress)
  }

  @Test func aStoppedMonitorIsSentOneMessageOnly() throws {
    var job = Job(nodes: [0, 0, 0])
    try job.run(seconds: 5)
    job.stopped = [0]
    try job.run(seconds: 9)
    #expect(job.network.waiting(for: 0) == 2)
  }

  @Test(arguments: [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]])
  func theWatchEndsWithTheLastRank(order: [Int]) throws {
    var job = Job(nodes: [0, 0, 0, 0])
    job.activities = (0..<4).map { _ in Activity(.computing, iteration: 1) }
    for rank in order {
      #expect(try !job.isOver(0) && !job.isOver(1))
      job.activities[rank] = Activity(.finished)
      for other in order where job.activities[other].operation != .finished {
        job.activities[other] = Activity(.computing, iteration: 10 + rank)
      }
      // Ranks that have said that they finished owe no more signs of life.
      #expect(try job.hangs(after: 8).isEmpty)
    }
    for rank in order { #expect(try job.isOver(rank)) }
    #expect((0..<4).allSatisfy { job.network.waiting(for: $0) == 0 })
  }
}

@Suite struct WatchClockTests {
  @Test func anAbsenceCountsAsOneStep() {
    var instant = SuspendingClock.now
    var clock = WatchClock(longestStep: 2, at: instant)
    for seconds in [1.0, 1.5, 3600, 0.5] {
      instant += .seconds(seconds)
      clock.look(at: instant)
    }
    #expect(clock.seconds == 5)
  }
}

/// Ranks that beat once a second with a timeout of ten, without MPI.
private struct Job {
  let network = Network()
  var watches: [Watch]
  var activities: [Activity]
  /// The ranks whose processes are stopped.
  var stopped: Set<Int> = []
  private var now = 0.0

  init(nodes: [Int]) {
    activities = nodes.map { _ in Activity(.reducing, iteration: 9) }
    watches = nodes.indices.map { [network] rank in
      Watch(
        rank: rank, nodes: nodes, timeout: 10,
        nodes.count > 1 ? MemoryChannel(network, rank: rank) : nil)
    }
  }

  /// Lets the ranks beat, as long as nobody finds a hang; returns who found which.
  mutating func hangs(after seconds: Int) throws -> [Int: Hang] {
    var hangs: [Int: Hang] = [:]
    for _ in 0..<seconds where hangs.isEmpty {
      now += 1
      for rank in watches.indices where !stopped.contains(rank) {
        hangs[rank] = try watches[rank].beat(activities[rank], at: now)
      }
    }
    return hangs
  }

  /// Lets the ranks beat and get on.
  mutating func run(seconds: Int) throws {
    for second in 1...seconds {
      for rank in watches.indices where !stopped.contains(rank) {
        activities[rank] = Activity(.reducing, iteration: second)
      }
      #expect(try hangs(after: 1).isEmpty)
    }
  }

  func isOver(_ rank: Int) throws -> Bool { try watches[rank].isOver() }
}

/// The messages that have not been received.
private final class Network: Sendable {
  struct Message: Sendable {
    let words: [UInt64]
    let sender: Int
    let receiver: Int
  }

  let messages = Mutex<[Message]>([])

  func waiting(for rank: Int) -> Int {
    messages.withLock { $0.count { $0.receiver == rank } }
  }
}

private final class MemoryChannel: MessageChannel {
  private let network: Network
  private let rank: Int

  init(_ network: Network, rank: Int) {
    self.network = network
    self.rank = rank
  }

  func isDelivered(to receiver: Int) -> Bool {
    network.messages.withLock { messages in
      !messages.contains { $0.sender == rank && $0.receiver == receiver }
    }
  }

  func send(_ words: [UInt64], to receiver: Int) {
    precondition(isDelivered(to: receiver))
    network.messages.withLock {
      $0.append(.init(words: words, sender: rank, receiver: receiver))
    }
  }

  func receive() -> (words: [UInt64], sender: Int)? {
    network.messages.withLock { messages in
      guard let index = messages.firstIndex(where: { $0.receiver == rank }) else { return nil }
      let message = messages.remove(at: index)
      return (message.words, message.sender)
    }
  }
}
