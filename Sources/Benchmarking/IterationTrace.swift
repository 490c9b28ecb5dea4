import Support

/// What ranks do together in an iteration, with sizes on one rank.
enum TracedCollective: Equatable, Sendable {
  /// A sum of so many floats, which every rank gets.
  case allReduce(floats: Int)
  /// A sum of which every rank gets so many floats.
  case reduceScatter(floats: Int)
  /// Every rank sends so many bytes to every rank.
  case allToAll(bytes: Int)
  /// Every rank gives so many bytes to all.
  case allGather(bytes: Int)
}

/// What a rank does in an iteration, in order.
struct IterationTrace: Equatable {
  enum Action: Equatable {
    /// Waits for its batch.
    case wait(seconds: Double)
    case compute(seconds: Double)
    case collective(TracedCollective)
    /// Hands a collective to the thread that does it while the rank computes.
    case post(TracedCollective)
    /// Waits until all collectives that were handed on are done.
    case join
  }

  /// A collective, in seconds since the iteration began.
  struct Event: Equatable {
    let collective: TracedCollective
    let start, end: Double
    /// Whether another thread did it than the one that computes.
    let isPosted: Bool
  }

  private(set) var actions: [Action] = []

  /// Takes what lies between collectives for computing. One that another thread did counts as handed on when
  /// it began.
  ///
  /// - Parameters:
  ///   - events: in any order.
  ///   - dataWait: seconds for which the rank waited for its batch at first.
  ///   - seconds: of the iteration.
  init(_ events: [Event], dataWait: Double = 0, seconds: Double) {
    var now = dataWait
    var hasPosted = false
    if dataWait > 0 { actions.append(.wait(seconds: dataWait)) }
    func compute(until time: Double) {
      if time > now { actions.append(.compute(seconds: time - now)) }
      now = max(now, time)
    }
    for event in events.sorted(by: { $0.start < $1.start }) {
      compute(until: event.start)
      if event.isPosted {
        actions.append(.post(event.collective))
        hasPosted = true
        continue
      }
      if hasPosted { actions.append(.join) }
      hasPosted = false
      actions.append(.collective(event.collective))
      now = max(now, event.end)
    }
    compute(until: seconds)
    if hasPosted { actions.append(.join) }
  }
}

extension IterationTrace {
  /// Of the processor in the traces: a second of computing.
  static let flopsPerSecond = 1e9

  /// Lines of SimGrid's time-independent format, and `post` and `join`, which it does not have.
  fileprivate func text(rank: Int, ranks: Int) -> String {
    actions.map { "\(rank) \(Self.text($0, ranks))\n" }.joined()
  }

  private static func text(_ action: Action, _ ranks: Int) -> String {
    switch action {
    case .wait(let seconds): "sleep \(Format.fixed(seconds, 9))"
    case .compute(let seconds): "compute \(Int((seconds * flopsPerSecond).rounded()))"
    case .collective(let collective): text(collective, ranks)
    case .post(let collective): "post \(text(collective, ranks))"
    case .join: "join"
    }
  }

  /// The format's numbers of the types float and byte.
  private static let (float, byte) = (5, 6)

  /// An addition counts as one operation.
  private static func text(_ collective: TracedCollective, _ ranks: Int) -> String {
    switch collective {
    case .allReduce(let floats):
      return "allreduce \(floats) \(floats) \(float)"
    case .reduceScatter(let floats):
      let parts = [String](repeating: "\(floats)", count: ranks).joined(separator: " ")
      return "reducescatter \(parts) \(floats * ranks) \(float)"
    case .allToAll(let bytes):
      return "alltoall \(bytes) \(bytes) \(byte) \(byte)"
    case .allGather(let bytes):
      return "allgather \(bytes) \(bytes) \(byte) \(byte)"
    }
  }
}

extension [IterationTrace] {
  /// All that a rank did, as a program of its own.
  func text(rank: Int, ranks: Int) -> String {
    let iterations = map { $0.text(rank: rank, ranks: ranks) + "# iteration\n" }
    return "\(rank) init\n" + iterations.joined() + "\(rank) finalize\n"
  }
}
