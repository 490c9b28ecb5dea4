import Foundation
import Support
internal import SwiftProtobuf

/// What is told of a step under a name, its tag. A tag's part before the first `/` is the section of
/// TensorBoard's page in which it is shown.
public struct EventValue: Equatable, Sendable {
  public enum Content: Equatable, Sendable {
    case scalar(Double)
    case histogram(Histogram)
  }

  public var tag: String
  public var content: Content

  public init(_ tag: String, _ content: Content) { (self.tag, self.content) = (tag, content) }
}

/// A file of events for TensorBoard: messages in the framing of TFRecord.
///
///     8 bytes  length of the message, little endian
///     4 bytes  masked CRC-32C of the length
///              the message: `Event` of Messages.proto
///     4 bytes  masked CRC-32C of the message
///
/// Every start of a run has a file of its own. TensorBoard reads those of a directory in the order of their
/// names as if they were one, and passes over what a killed run has left of a record.
///
/// `Messages.pb.swift` is made of `Messages.proto` by `protoc` with the plug-in `protoc-gen-swift` of
/// swift-protobuf: `protoc --swift_out=. --swift_opt=UseAccessLevelOnImports=true Messages.proto`.
public final class EventFile {
  private let file: GrowingFile

  /// Begins a new file, whose name follows those of the files that are there.
  ///
  /// - Parameters:
  ///   - directory: must exist.
  ///   - step: from which on earlier files count no more; nil: all of them do.
  public init(directory: String, replacingFrom step: Int?) throws(FileError) {
    // Seconds since 1970 as in the names of other writers, but never less than those of an earlier file,
    // whatever the clock says.
    let latest = try directoryEntries(directory).compactMap(Self.number).max() ?? 0
    let number = max(Int(Date().timeIntervalSince1970), latest + 1)
    file = try GrowingFile(path: "\(directory)/events.out.tfevents.\(number).sltt-dist")
    var version = TensorBoardEvent()
    version.fileVersion = "brain.Event:2"
    try append(version)
    guard let step else { return }
    var start = TensorBoardEvent()
    start.step = Int64(step)
    start.sessionLog.status = .start
    try append(start)
  }

  /// That of a file's name; nil where the file is none of events.
  private static func number(_ name: String) -> Int? {
    let parts = name.split(separator: ".")
    return parts.count > 3 && parts[2] == "tfevents" ? UInt32(parts[3]).map(Int.init) : nil
  }

  /// Adds what is told of a step.
  public func append(step: Int, _ values: [EventValue]) throws(FileError) {
    var event = TensorBoardEvent()
    event.step = Int64(step)
    event.summary.value = values.map(TensorBoardSummary.Value.init)
    try append(event)
  }

  /// Takes that back which was added last.
  public func removeLast() throws(FileError) { try file.removeLast() }

  private func append(_ event: TensorBoardEvent) throws(FileError) {
    var event = event
    event.wallTime = Date().timeIntervalSince1970
    // A message of our own has no required fields that could be missing.
    let message: [UInt8] = try! event.serializedBytes()
    let length = Self.bytes(of: UInt64(message.count))
    try file.append(
      length + Self.bytes(of: Self.maskedChecksum(length)) + message
        + Self.bytes(of: Self.maskedChecksum(message)))
  }

  private static func bytes(of number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian) { Array($0) }
  }

  /// TFRecord's: so that the checksum of data with checksums in them is not a trivial one.
  static func maskedChecksum(_ bytes: [UInt8]) -> UInt32 {
    let checksum = CRC32C.checksum(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}

extension TensorBoardSummary.Value {
  fileprivate init(_ value: EventValue) {
    tag = value.tag
    switch value.content {
    case .scalar(let number): simpleValue = Float(number)
    case .histogram(let histogram): histo = TensorBoardHistogram(histogram)
    }
  }
}

extension TensorBoardHistogram {
  fileprivate init(_ histogram: Histogram) {
    (min, max) = (histogram.least, histogram.greatest)
    (sum, sumSquares) = (histogram.sum, histogram.sumOfSquares)
    num = Double(histogram.counts.reduce(0, +))
    bucketLimit = histogram.limits
    bucket = histogram.counts.map(Double.init)
  }
}
