import Synchronization

/// What a rank is doing, as the watchdogs tell each other.
public struct Activity: Equatable, Sendable {
  public enum Operation: UInt64, CaseIterable, Sendable {
    case starting
    case openingData
    case readingCheckpoint
    case waitingForData
    case computing
    case reducing
    case updating
    case validating
    case writingCheckpoint
    /// A collective other than the all-reduce of an iteration.
    case waitingForRanks
    /// Nothing more will come of this rank: it has stopped its watchdog.
    case finished
  }

  public let operation: Operation
  /// The iteration that the operation is part of, or that came before it.
  public let iteration: Int?
  /// Counts the rank's operations and its signs of progress within them.
  let progress: UInt64

  init(_ operation: Operation, iteration: Int? = nil, progress: UInt64 = 0) {
    self.operation = operation
    self.iteration = iteration
    self.progress = progress
  }

  /// Whether the rank can do nothing but wait for others, so that its standing still is their fault.
  var isWaiting: Bool {
    switch operation {
    case .reducing, .waitingForRanks, .finished: true
    default: false
    }
  }
}

extension Activity: CustomStringConvertible {
  /// In words, such as `all-reduce of iteration 118`.
  public var description: String {
    guard let iteration else { return operation.name }
    switch operation {
    case .validating, .waitingForRanks: return "\(operation.name) after iteration \(iteration)"
    default: return "\(operation.name) of iteration \(iteration)"
    }
  }
}

extension Activity.Operation {
  fileprivate var name: String {
    switch self {
    case .starting: "starting"
    case .openingData: "opening the data"
    case .readingCheckpoint: "reading the checkpoint"
    case .waitingForData: "waiting for data"
    case .computing: "forward and backward pass"
    case .reducing: "all-reduce"
    case .updating: "weight update"
    case .validating: "validation"
    case .writingCheckpoint: "writing the checkpoint"
    case .waitingForRanks: "waiting for the other ranks"
    case .finished: "finished"
    }
  }
}

/// Activities travel between ranks as three words.
extension Activity {
  var words: [UInt64] {
    [operation.rawValue, iteration.map { UInt64($0) } ?? .max, progress]
  }

  /// - Precondition: `words` are those of an activity.
  init(words: [UInt64]) {
    precondition(words.count == 3, "\(words.count) words are no activity")
    guard let operation = Operation(rawValue: words[0]) else {
      preconditionFailure("no operation has the number \(words[0])")
    }
    self.init(
      operation, iteration: words[1] == .max ? nil : Int(words[1]), progress: words[2])
  }
}

/// Where a rank's threads note what it does, for its watchdog. A note costs some nanoseconds.
public final class ActivityRecord: Sendable {
  private let state = Mutex(Activity(.starting))

  public init() {}

  /// Notes that the rank turns to `operation`.
  ///
  /// - Parameter iteration: The iteration that it is part of, or that came before it.
  public func enter(_ operation: Activity.Operation, iteration: Int? = nil) {
    state.withLock {
      $0 = Activity(operation, iteration: iteration, progress: $0.progress &+ 1)
    }
  }

  /// Notes that the present operation gets on. For those that may rightly take longer than the
  /// watchdog's timeout: listing a large folder, making frames, a validation.
  public func touch() {
    state.withLock {
      $0 = Activity($0.operation, iteration: $0.iteration, progress: $0.progress &+ 1)
    }
  }

  /// Notes that the rank waits for others as long as it is in `body`, and after that, what it did before.
  func whileWaitingForRanks<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = current
    guard !before.isWaiting else { return try body() }
    enter(.waitingForRanks, iteration: before.iteration)
    defer { enter(before.operation, iteration: before.iteration) }
    return try body()
  }

  /// What the rank does now.
  public var current: Activity { state.withLock { $0 } }
}
