/// One rank's part in watching over the job: tells the *monitors* what the rank does and, where it is
/// one of them, keeps what the others say.
///
/// Rank 0 is the first monitor. It may be the one that hangs, so a rank of another node, where there
/// is one, is the second, and ends the job a little later if the first has not. The others only see to
/// it that one of the monitors lives.
struct Watch {
  /// How often a rank tells what it does, in seconds.
  let interval: Double

  private let rank: Int
  private let monitors: [Int]
  /// `nil` in a job of one process.
  private let channel: (any MessageChannel)?
  private let patience: Double
  /// The ranks that this one watches: all on a monitor, else the monitors.
  private(set) var sightings: [Int: Sighting]
  /// The monitors that need to hear from this rank, until it has told them that it has finished.
  private var listeners: Set<Int>

  /// - Parameters:
  ///   - nodes: for each rank the number of its node.
  ///   - timeout: in seconds, at least 1.
  init(rank: Int, nodes: [Int], timeout: Double, _ channel: (any MessageChannel)?) {
    precondition(timeout >= 1, "a timeout of \(timeout) s is shorter than a second")
    let second = nodes.firstIndex { $0 != nodes[0] } ?? 1
    self.rank = rank
    self.channel = channel
    interval = min(max(timeout / 10, 0.2), 10)
    monitors = nodes.count == 1 ? [0] : [0, second]
    listeners = Set(monitors).subtracting([rank])
    let isMonitor = monitors.contains(rank)
    let watched = isMonitor ? Array(nodes.indices) : monitors
    sightings = Dictionary(uniqueKeysWithValues: watched.map { ($0, Sighting()) })
    patience =
      switch rank {
      case 0: timeout
      case second: timeout + 3 * interval
      default: 2 * timeout
      }
  }

  private var isMonitor: Bool { monitors.contains(rank) }

  /// Exchanges messages, and returns what is wrong with the run, if anything.
  ///
  /// - Parameters:
  ///   - activity: of this rank.
  ///   - now: by this rank's `WatchClock`.
  mutating func beat(_ activity: Activity, at now: Double) throws -> Hang? {
    if isMonitor { sightings[rank]!.note(activity, at: now) }
    for monitor in monitors where monitor != rank {
      guard try channel!.isDelivered(to: monitor) else { continue }
      if !isMonitor { sightings[monitor]!.noteLife(at: now) }
      guard listeners.contains(monitor) else { continue }
      try channel!.send(activity.words, to: monitor)
      if activity.operation == .finished { listeners.remove(monitor) }
    }
    while let (words, sender) = try channel?.receive() {
      sightings[sender]!.note(Activity(words: words), at: now)
    }
    guard let hang = Hang.find(in: sightings, at: now, patience: patience) else { return nil }
    return isMonitor || hang.stragglers.count == monitors.count ? hang : nil
  }

  /// Whether this rank has finished and no message is underway from it or to it.
  func isOver() throws -> Bool {
    guard listeners.isEmpty else { return false }
    guard !isMonitor || sightings.values.allSatisfy(\.isFinished) else { return false }
    return try monitors.allSatisfy { try $0 == rank || channel!.isDelivered(to: $0) }
  }
}

/// The seconds that a watchdog has watched.
///
/// They do not run on while the process is stopped, the machine sleeps or somebody sets the clock:
/// one look counts for little, so that a timeout passes only over several looks, and a process that
/// goes on after a stop does not take its own absence for that of the others.
struct WatchClock {
  private(set) var seconds = 0.0
  private let longestStep: Double
  private var last: SuspendingClock.Instant

  init(longestStep: Double, at instant: SuspendingClock.Instant = .now) {
    self.longestStep = longestStep
    last = instant
  }

  mutating func look(at instant: SuspendingClock.Instant = .now) {
    seconds += min((instant - last) / .seconds(1), longestStep)
    last = instant
  }
}
