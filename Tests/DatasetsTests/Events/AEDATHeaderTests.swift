import Support
import Testing

@testable import Datasets

struct AEDATHeaderTests {
  private func end(
    _ lines: [String], _ version: AEDATHeader.Version
  ) throws(RecordingFailure) -> Int {
    try AEDATHeader(Array(lines.map { $0 + "\r\n" }.joined().utf8) + [0, 1, 2, 3], version).end
  }

  private func reason(_ lines: [String], _ version: AEDATHeader.Version) -> String {
    let failure = #expect(throws: RecordingFailure.self) { try end(lines, version) }
    return failure?.reason ?? "none"
  }

  @Test func linesOfADVS128() throws {
    for lines in [
      [],
      ["# raw"],
      ["#!AER-DAT2.0", "# This is a raw AE data file - do not edit", "# created in 2015"],
      [
        "#!AER-DAT2.0", "# HardwareInterface: DAVIS FX3 0002-INI",
        "# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128",
        "#<entry key=\"Davis346.ApsFrames\" value=\"false\"/>",
      ],
    ] {
      #expect(try end(lines, .two) == lines.reduce(0) { $0 + $1.utf8.count + 2 })
    }
    let lines = ["#!AER-DAT3.1", "#Format: RAW", "#Source 1: DVS128", "#!END-HEADER"]
    // An event may begin with the byte of #.
    #expect(try end(lines + ["#"], .three) == lines.reduce(0) { $0 + $1.utf8.count + 2 })
  }

  @Test func otherCamerasAreNamed() {
    for line in [
      "# AEChip: eu.seebetter.ini.chips.davis.Davis346B", "# AEChip: DAVIS240C",
      "# HardwareInterface: DAVIS FX3 0002-INI",
    ] {
      #expect(
        reason(["#!AER-DAT2.0", line, "# more"], .two)
          == "at byte 14 the header tells another camera than a DVS128: \(line.dropFirst(2))")
    }
    let source = reason(["#!AER-DAT3.1", "#Source 0: DAVIS346", "#!END-HEADER"], .three)
    #expect(source.hasSuffix("another camera than a DVS128: Source 0: DAVIS346"))
  }

  @Test(arguments: ["SERIAL_TS", "COMPRESSED", "RAW,COMPRESSED", "raw2"])
  func otherEncodingsAreNamed(format: String) {
    #expect(
      reason(["#!AER-DAT3.1", "#Format: \(format)", "#Source 1: DVS128", "#!END-HEADER"], .three)
        == "at byte 14 the header tells that the events are in the format \(format), and only RAW"
        + " is read")
  }

  @Test func otherVersionsAreNamed() {
    for (found, wanted) in [("1.0", AEDATHeader.Version.two), ("4.0", .two), ("2.0", .three)] {
      #expect(
        reason(["#!AER-DAT\(found)"], wanted)
          == "at byte 0 the header tells AEDAT \(found), but this data set is of AEDAT"
          + " \(wanted.rawValue)")
    }
    #expect(reason(["#Format: RAW", "#!END-HEADER"], .three).contains("does not begin with #!AER"))
    #expect(reason(["#!AER-DAT3.1", "#Format: RAW"], .three).contains("does not end with #!END"))
  }
}
