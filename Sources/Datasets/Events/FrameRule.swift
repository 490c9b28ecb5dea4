/// How the events of a recording become frames, each a count of events for every pixel and
/// polarity. The rules are SpikingJelly's.
public enum FrameRule: Equatable, Sendable {
  /// What is divided evenly among a fixed number of frames.
  public enum Division: String, CaseIterable, Sendable {
    /// Events: `count / frames` for each frame.
    case number
    /// Time: `(last - first) / frames` for each frame.
    case time
  }

  /// So many frames; the last one also has what the division leaves over.
  case number(Int, by: Division)
  /// Frames of so many microseconds from the first event on. Of a longer recording the first are
  /// taken; of a shorter one the last are empty.
  case duration(Int)
}

extension FrameRule {
  /// Adds the events of a recording to its frames.
  ///
  /// - Parameters:
  ///   - events: in the order of time.
  ///   - frames: `[timesteps, H, W, 2]`, zeros.
  func integrate(
    _ events: ArraySlice<Event>, timesteps: Int, frameCount: Int,
    into frames: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(frames.count == timesteps * frameCount, "as many frames as time steps")
    guard let first = events.first?.time, let last = events.last?.time else { return }
    events.withUnsafeBufferPointer { events in
      func count(_ frame: (_ index: Int, _ time: Int64) -> Int) {
        for index in events.indices {
          let frame = frame(index, events[index].time)
          guard frame < timesteps else { return }
          frames[frame * frameCount + Int(events[index].position)] += 1
        }
      }
      switch self {
      case .number(let number, by: .number):
        let share = events.count / number
        count { index, _ in share == 0 ? number - 1 : min(index / share, number - 1) }
      case .number(let number, by: .time):
        let share = (last - first) / Int64(number)
        count { _, time in
          share == 0 ? number - 1 : Int(min((time - first) / share, Int64(number) - 1))
        }
      case .duration(let duration):
        // The last event may lie on the end of the last frame, and belongs to it.
        let duration = Int64(duration)
        let lastFrame = max(last - first - 1, 0) / duration
        count { _, time in Int(min((time - first) / duration, lastFrame)) }
      }
    }
  }
}

extension FrameRule: CustomStringConvertible {
  /// As in configuration files.
  public var description: String {
    switch self {
    case .number(let number, let division): "{number: \(number), split_by: \(division.rawValue)}"
    case .duration(let duration): "{duration: \(duration)}"
    }
  }
}
