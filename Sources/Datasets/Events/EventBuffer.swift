/// One event of a camera that reports changes of brightness.
struct Event {
  /// Microseconds since some moment.
  var time: Int64
  /// Where it counts in a frame `[H, W, 2]`: `(y * W + x) * 2 + polarity`.
  var position: UInt32
  /// Its place in the file, which decides among equal times.
  var order: UInt32
}

/// The events of one file in the order of time. Reused from file to file.
struct EventBuffer {
  private(set) var events: [Event] = []
  private var isSorted = true

  /// Forgets all events and makes room.
  mutating func begin(capacity: Int) {
    events.removeAll(keepingCapacity: true)
    events.reserveCapacity(capacity)
    isSorted = true
  }

  mutating func append(time: Int64, position: Int) {
    if let last = events.last, time < last.time { isSorted = false }
    events.append(
      Event(
        time: time, position: UInt32(truncatingIfNeeded: position),
        order: UInt32(truncatingIfNeeded: events.count)))
  }

  /// Brings events that a file has out of order into the order of time.
  mutating func finish() {
    guard !isSorted else { return }
    events.sort { ($0.time, $0.order) < ($1.time, $1.order) }
    isSorted = true
  }

  /// The events from a time to before another.
  func events(in window: Range<Int64>) -> ArraySlice<Event> {
    events[firstIndex(from: window.lowerBound)..<firstIndex(from: window.upperBound)]
  }

  /// The first event that is not before a time.
  private func firstIndex(from time: Int64) -> Int {
    var (low, high) = (0, events.count)
    while low < high {
      let middle = (low + high) / 2
      if events[middle].time < time { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// Continues the time of a counter beyond its width. Of two readings of the counter the later one in
/// the file is taken to be less than half of its range before or after the other: so a small step
/// back is an event out of order, and a large one is the counter starting again.
struct UnwrappedCounter {
  private let unusedBits: Int
  private var reading: UInt32?
  private var time: Int64 = 0

  /// - Parameter bits: of the counter, at most 32.
  init(bits: Int) { unusedBits = 32 - bits }

  mutating func time(of reading: UInt32) -> Int64 {
    if let previous = self.reading {
      let step = Int32(bitPattern: (reading &- previous) << UInt32(unusedBits)) >> unusedBits
      time += Int64(step)
    } else {
      time = Int64(reading)
    }
    self.reading = reading
    return time
  }
}

/// What is wrong with a file, before it is known which sample it is about.
struct RecordingFailure: Error, Equatable {
  let reason: String

  init(atByte offset: Int, _ reason: String) {
    self.reason = "at byte \(offset) \(reason)"
  }

  init(reason: String) { self.reason = reason }
}

/// The pixels of an event camera.
public struct Sensor: Equatable, Sendable {
  let width: Int
  let height: Int

  /// Floats of one frame.
  var frameCount: Int { width * height * 2 }

  /// Where an event counts in a frame `[H, W, 2]`, or `nil` beside the sensor.
  @inline(__always)
  func position(x: Int, y: Int, polarity: Int) -> Int? {
    x < width && y < height ? (y * width + x) * 2 + polarity : nil
  }
}
