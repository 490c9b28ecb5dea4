import Testing

@testable import Datasets

struct EventBufferTests {
  private func buffer(_ times: [Int64]) -> EventBuffer {
    var buffer = EventBuffer()
    buffer.begin(capacity: times.count)
    for (index, time) in times.enumerated() { buffer.append(time: time, position: index) }
    buffer.finish()
    return buffer
  }

  @Test func eventsOutOfOrderAreSortedAndEqualTimesStayInOrder() {
    let buffer = buffer([5, 3, 3, 9, 5, 1])
    #expect(buffer.events.map(\.time) == [1, 3, 3, 5, 5, 9])
    #expect(buffer.events.map(\.position) == [5, 1, 2, 0, 4, 3])
  }

  @Test func aWindowHasItsStartAndNotItsEnd() {
    let buffer = buffer([1, 2, 2, 4, 7, 7, 9])
    #expect(buffer.events(in: 2..<7).map(\.time) == [2, 2, 4])
    #expect(buffer.events(in: 7..<8).map(\.time) == [7, 7])
    #expect(buffer.events(in: 5..<6).isEmpty)
    #expect(buffer.events(in: RecordingList.wholeFile[0]).count == 7)
  }

  @Test(arguments: [23, 31, 32])
  func aCounterThatStartsAgainGoesOn(bits: Int) {
    var counter = UnwrappedCounter(bits: bits)
    let range: Int64 = 1 << bits
    let times = [range - 300, range - 10, range - 20, range + 5, range - 1, range + range / 3]
    #expect(times.map { counter.time(of: UInt32($0 % range)) } == times)
  }

  @Test func aReadingBeyondTheSignedRangeIsNotNegative() {
    var counter = UnwrappedCounter(bits: 32)
    #expect(counter.time(of: 3_000_000_000) == 3_000_000_000)
    #expect(counter.time(of: 4_000_000_000) == 4_000_000_000)
  }
}
