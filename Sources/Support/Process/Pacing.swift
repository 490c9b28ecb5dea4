/// Says when it is time for the next report of long work.
public struct Pacing {
  private let interval: Duration
  private var last = ContinuousClock.now

  public init(every interval: Duration = .seconds(3)) { self.interval = interval }

  /// Whether so much time has gone since the start, or since this was true.
  public var isDue: Bool {
    mutating get {
      guard ContinuousClock.now - last >= interval else { return false }
      last = .now
      return true
    }
  }
}
