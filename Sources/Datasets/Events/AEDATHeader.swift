import Foundation
import Support

/// The header of an AEDAT file: lines that begin with #, of which the first tells the version and others
/// may tell the camera.
struct AEDATHeader {
  enum Version: String {
    /// All lines that begin with # belong to the header.
    case two = "2"
    /// The header ends with a line of its own.
    case three = "3"
  }

  /// Where the events begin.
  let end: Int

  private static let versionMark = "#!AER-DAT"
  private static let endMark = "#!END-HEADER"

  /// Reads the header, and makes sure that it announces events of a DVS128 in this version.
  init(_ bytes: [UInt8], _ version: Version) throws(RecordingFailure) {
    var offset = 0
    var lines: [(offset: Int, text: String)] = []
    var isComplete = version == .two
    while offset < bytes.count, bytes[offset] == UInt8(ascii: "#") {
      let line = bytes[offset...].prefix { $0 != UInt8(ascii: "\n") }
      lines.append(
        (
          offset,
          String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        ))
      try Self.checkVersion(lines[lines.count - 1], version)
      guard line.endIndex < bytes.count else {
        isComplete = false
        break
      }
      offset = line.endIndex + 1
      if version == .three, line.starts(with: Self.endMark.utf8) {
        isComplete = true
        break
      }
    }
    guard version == .two || lines.first?.text.hasPrefix(Self.versionMark) == true else {
      throw RecordingFailure(
        atByte: 0, "the file does not begin with \(Self.versionMark)\(version.rawValue)")
    }
    guard isComplete else {
      throw RecordingFailure(
        atByte: offset,
        version == .two
          ? "the file ends within its header" : "the header does not end with \(Self.endMark)")
    }
    try Self.checkCamera(lines)
    if version == .three { try Self.checkEncoding(lines) }
    end = offset
  }

  private static func checkVersion(
    _ line: (offset: Int, text: String), _ version: Version
  ) throws(RecordingFailure) {
    guard line.text.hasPrefix(versionMark) else { return }
    let found = line.text.dropFirst(versionMark.count)
    guard found.hasPrefix(version.rawValue) else {
      throw RecordingFailure(
        atByte: line.offset,
        "the header tells AEDAT \(found), but this data set is of AEDAT \(version.rawValue)")
    }
  }

  /// cAER also has packets with times of their own, and compressed ones.
  private static func checkEncoding(
    _ lines: [(offset: Int, text: String)]
  ) throws(RecordingFailure) {
    let mark = "#Format:"
    guard let line = lines.first(where: { $0.text.hasPrefix(mark) }) else { return }
    let format = line.text.dropFirst(mark.count).drop { $0 == " " }
    guard format == "RAW" else {
      throw RecordingFailure(
        atByte: line.offset,
        "the header tells that the events are in the format \(format), and only RAW is read")
    }
  }

  /// jAER names the chip, and the hardware that it is plugged into, cAER the source.
  private static func checkCamera(
    _ lines: [(offset: Int, text: String)]
  ) throws(RecordingFailure) {
    func first(_ prefixes: String...) -> (offset: Int, text: String)? {
      lines.first { line in prefixes.contains { line.text.hasPrefix($0) } }
    }
    guard let camera = first("# AEChip:", "#Source ") ?? first("# HardwareInterface:") else {
      return
    }
    // Tmpdiff128 is an earlier name of the DVS128.
    guard ["dvs128", "tmpdiff128"].contains(where: camera.text.lowercased().contains) else {
      throw RecordingFailure(
        atByte: camera.offset,
        "the header tells another camera than a DVS128: \(camera.text.drop { "# ".contains($0) })")
    }
  }
}
