import Testing

@testable import Datasets

/// Events at these times, the i-th at position i.
private func events(_ times: [Int64]) -> [Event] {
  times.enumerated().map { Event(time: $1, position: UInt32($0), order: UInt32($0)) }
}

/// The events of each frame.
private func frames(_ rule: FrameRule, _ times: [Int64], timesteps: Int) -> [[Int]] {
  var values = [Float](repeating: 0, count: timesteps * times.count)
  values.withUnsafeMutableBufferPointer {
    rule.integrate(
      events(times)[...], timesteps: timesteps, frameCount: times.count, into: $0)
  }
  return (0..<timesteps).map { frame in
    times.indices.filter { values[frame * times.count + $0] == 1 }
  }
}

struct FrameRuleTests {
  @Test func byNumberTheLastFrameHasTheRest() {
    let result = frames(.number(3, by: .number), Array(0..<11), timesteps: 3)
    #expect(result == [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9, 10]])
  }

  @Test func byNumberFewerEventsThanFramesAreAllInTheLast() {
    #expect(frames(.number(4, by: .number), [5, 6], timesteps: 4) == [[], [], [], [0, 1]])
  }

  @Test func byTimeTheLastFrameHasTheRest() {
    // (110 - 100) / 3 = 3 microseconds a frame.
    let times: [Int64] = [100, 102, 103, 105, 106, 108, 109, 110]
    #expect(
      frames(.number(3, by: .time), times, timesteps: 3) == [[0, 1], [2, 3], [4, 5, 6, 7]])
  }

  @Test func byTimeAFrameMayBeEmptyAndAMomentIsInTheLast() {
    #expect(frames(.number(3, by: .time), [0, 90], timesteps: 3) == [[0], [], [1]])
    #expect(frames(.number(3, by: .time), [7, 7], timesteps: 3) == [[], [], [0, 1]])
  }

  @Test func aDurationIsCutOrFilledUp() {
    let times: [Int64] = [50, 59, 60, 75, 90]
    #expect(frames(.duration(10), times, timesteps: 3) == [[0, 1], [2], [3]])
    // The last event is on the end of the fourth frame, and belongs to it.
    #expect(frames(.duration(10), times, timesteps: 5) == [[0, 1], [2], [3], [4], []])
  }

  @Test func countsAddUp() {
    var values = [Float](repeating: 0, count: 2)
    values.withUnsafeMutableBufferPointer {
      let same = (0..<300).map { Event(time: Int64($0), position: 1, order: UInt32($0)) }
      FrameRule.number(1, by: .number).integrate(
        same[...], timesteps: 1, frameCount: 2, into: $0)
    }
    #expect(values == [0, 300])
  }
}
