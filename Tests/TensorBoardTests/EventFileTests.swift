import Foundation
import Support
import SwiftProtobuf
import TestSupport
import Testing

@testable import TensorBoard

struct EventFileTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// The events of a file, whose checksums are right.
  private func events(_ name: String) throws -> [TensorBoardEvent] {
    var bytes = [UInt8](try #require(try contentsOfFile(directory.file(name))))[...]
    func take(_ count: Int) throws -> [UInt8] {
      try #require(bytes.count >= count)
      defer { bytes = bytes.dropFirst(count) }
      return Array(bytes.prefix(count))
    }
    func number(_ count: Int) throws -> UInt64 {
      try take(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
    var events: [TensorBoardEvent] = []
    while !bytes.isEmpty {
      let length = Array(bytes.prefix(8))
      let count = try number(8)
      #expect(try number(4) == UInt64(EventFile.maskedChecksum(length)))
      let message = try take(Int(count))
      #expect(try number(4) == UInt64(EventFile.maskedChecksum(message)))
      events.append(try TensorBoardEvent(serializedBytes: message))
    }
    return events
  }

  @Test func beginsWithItsVersionAndWhatItReplaces() throws {
    let file = try EventFile(directory: directory.path, replacingFrom: 7)
    try file.append(step: 9, [EventValue("a/b", .scalar(0.5)), EventValue("c", .scalar(-2))])
    let names = try directory.contents
    #expect(names.count == 1)
    let events = try events(names[0])
    #expect(events.map(\.step) == [0, 7, 9])
    #expect(events[0].fileVersion == "brain.Event:2" && events[1].sessionLog.status == .start)
    #expect(events[2].summary.value.map(\.tag) == ["a/b", "c"])
    #expect(events[2].summary.value.map(\.simpleValue) == [0.5, -2])
    #expect(events.allSatisfy { $0.wallTime > 1e9 })
  }

  /// Whatever the clock says.
  @Test func namesFollowEachOther() throws {
    try directory.write("", to: "events.out.tfevents.4000000000.host.17.0")
    for _ in 0..<2 { _ = try EventFile(directory: directory.path, replacingFrom: nil) }
    #expect(
      try directory.contents.dropFirst() == [
        "events.out.tfevents.4000000001.sltt-dist", "events.out.tfevents.4000000002.sltt-dist",
      ])
  }

  @Test func theLastEventCanBeTakenBack() throws {
    let file = try EventFile(directory: directory.path, replacingFrom: nil)
    for step in 1...2 { try file.append(step: step, [EventValue("a", .scalar(1))]) }
    try file.removeLast()
    try file.append(step: 3, [EventValue("a", .scalar(1))])
    #expect(try events(directory.contents[0]).map(\.step) == [0, 1, 3])
  }

  @Test func saysWhereNoneCanBe() throws {
    #expect(throws: FileError.notFound(path: directory.file("none"))) {
      try EventFile(directory: directory.file("none"), replacingFrom: nil)
    }
  }

  @Test func histogramsAreWrittenWithTheirEdges() throws {
    let histogram = try #require([Float(-1), 3, 3].withUnsafeBufferPointer { Histogram($0) })
    let file = try EventFile(directory: directory.path, replacingFrom: nil)
    try file.append(step: 1, [EventValue("h", .histogram(histogram))])
    let written = try events(directory.contents[0])[1].summary.value[0].histo
    #expect(written.min == -1 && written.max == 3 && written.num == 3)
    #expect(written.sum == 5 && written.sumSquares == 19)
    #expect(written.bucketLimit.count == 64 && written.bucket.count == 64)
    #expect(written.bucketLimit.first == -1 + 4.0 / 64 && written.bucketLimit.last == 3)
    #expect(written.bucket.first == 1 && written.bucket.last == 2)
  }
}

/// What TensorBoard itself makes of our files.
@Suite(.enabled(if: TensorBoardEvents.canBeRead, "no Python with tensorboard"))
struct EventFilePythonTests {
  /// A start replaces what comes after its checkpoint, and what a killed run left of a record is no harm.
  @Test func readsTheFilesOfSeveralStartsAsOne() throws {
    let directory = try TemporaryDirectory()
    let values: [Float] = [-1, 0, .nan, 0.5, 3, 3, .infinity]
    let histogram = try #require(values.withUnsafeBufferPointer { Histogram($0) })
    let first = try EventFile(directory: directory.path, replacingFrom: 1)
    for step in 1...3 {
      try first.append(step: step, [EventValue("train/loss", .scalar(Double(step) / 4))])
    }
    let name = try directory.contents[0]
    let whole = try #require(try contentsOfFile(directory.file(name)))
    try directory.write(whole + whole.prefix(17), to: name)
    let second = try EventFile(directory: directory.path, replacingFrom: 3)
    try second.append(
      step: 3,
      [EventValue("train/loss", .scalar(8)), EventValue("weights/a", .histogram(histogram))])
    let shown = try TensorBoardEvents(directory: directory.path)
    #expect(shown.scalars == ["train/loss": [1: 0.25, 2: 0.5, 3: 8]])
    #expect(shown.histograms == ["weights/a": [3: [-1, 3, 5, 5.5, 19.25, 5]]])
  }
}
