/// What a watchdog knows of one rank. Times are seconds of its `WatchClock`.
struct Sighting: Equatable {
  /// What the rank said last; `nil` if nothing came yet.
  private(set) var activity: Activity?
  /// When it last gave a sign of life.
  private(set) var heard = 0.0
  /// When it was first seen as it is.
  private(set) var changed = 0.0

  mutating func note(_ activity: Activity, at time: Double) {
    if activity != self.activity { changed = time }
    self.activity = activity
    heard = time
  }

  /// Notes that the rank lives, without its telling what it does.
  mutating func noteLife(at time: Double) { heard = time }

  var isFinished: Bool { activity?.operation == .finished }
}

/// A run that stands still, and the ranks at fault.
struct Hang: Equatable {
  enum Cause {
    /// Ranks say nothing: stopped, or cut off with their host.
    case silence
    /// Ranks say that they do the same thing all the time, and it is not waiting for others.
    case noProgress
    /// All ranks wait for others.
    case deadlock
  }

  struct Straggler: Equatable {
    let rank: Int
    let activity: Activity?
    /// How long it has been silent, or without progress.
    let seconds: Double
  }

  let cause: Cause
  /// In the order of ranks.
  let stragglers: [Straggler]

  /// Finds who holds up the run; `nil` while it gets on.
  ///
  /// - Parameters:
  ///   - sightings: of the ranks that are watched.
  ///   - patience: how many seconds without a change are too long.
  static func find(in sightings: [Int: Sighting], at now: Double, patience: Double) -> Hang? {
    let ranks = sightings.filter { !$1.isFinished }.sorted { $0.key < $1.key }
    let motionless = ranks.filter { $1.activity != nil && now - $1.changed > patience }.map {
      Straggler(rank: $0, activity: $1.activity, seconds: now - $1.changed)
    }
    // A rank that waits is held up only if the one it waits for is; that one may get on slowly.
    let busy = motionless.filter { $0.activity?.isWaiting == false }
    let allWait = !ranks.isEmpty && ranks.count == motionless.count
    guard allWait || !busy.isEmpty || ranks.contains(where: { now - $1.heard > patience }) else {
      return nil
    }
    // Whoever is stopped did nothing new for a while already when it was heard last.
    let silent = ranks.filter { now - $1.heard > patience / 2 }.map {
      Straggler(rank: $0, activity: $1.activity, seconds: now - $1.heard)
    }
    if !silent.isEmpty { return Hang(cause: .silence, stragglers: silent) }
    if !busy.isEmpty { return Hang(cause: .noProgress, stragglers: busy) }
    let least = motionless.map { $0.activity?.iteration ?? -1 }.min()
    return Hang(
      cause: .deadlock, stragglers: motionless.filter { $0.activity?.iteration ?? -1 == least })
  }
}

extension Hang {
  /// For people: who, where, at what, for how long, and what to do.
  func message(hosts: [String], timeout: Double) -> String {
    let listed = stragglers.prefix(8).map { straggler in
      let doing = straggler.activity.map(String.init) ?? "unknown"
      return "rank \(straggler.rank) on host \(hosts[straggler.rank]) "
        + "(\(seconds(straggler.seconds)); \(cause == .silence ? "last: " : "")\(doing))"
    }
    let more = stragglers.count - listed.count
    let list = listed.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    let (what, advice) =
      switch cause {
      case .silence:
        (
          "no sign of life from \(list)",
          """
          Such a process is stopped, or its host or the network to it is down: look there before \
          starting again.
          """
        )
      case .noProgress:
        (
          "no progress on \(list)",
          """
          Usually a file system or a disk does not answer: try reading the data and writing the \
          output directory on that host. If the operation may take so long, raise --hang-timeout.
          """
        )
      case .deadlock:
        (
          "all ranks wait for each other, furthest behind \(list)",
          """
          Usually the network between hosts lost data, or the ranks run different programs or \
          configurations.
          """
        )
      }
    return """
      \(what). The run stood still for more than --hang-timeout \(seconds(timeout)) and ends; \
      it can go on from its last checkpoint. \(advice)
      """
  }

  private func seconds(_ value: Double) -> String {
    value == value.rounded() || value >= 10 ? "\(Int(value.rounded())) s" : "\(tenths(value)) s"
  }

  private func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
