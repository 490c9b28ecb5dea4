import Testing

@testable import Datasets

private typealias Reader = ([UInt8], Sensor, inout EventBuffer) throws -> Void
private let small = Sensor(width: 34, height: 34)
private let large = Sensor(width: 128, height: 128)

struct RecordingFormatsTests {
  private func failure(
    _ bytes: [UInt8], _ sensor: Sensor, _ read: Reader
  ) -> RecordingFailure? {
    var buffer = EventBuffer()
    return #expect(throws: RecordingFailure.self) { try read(bytes, sensor, &buffer) }
  }

  private func atis(_ bytes: [UInt8], _ sensor: Sensor, _ buffer: inout EventBuffer) throws {
    try readATIS(bytes, sensor: sensor, into: &buffer)
  }

  private func aedat2(_ bytes: [UInt8], _ sensor: Sensor, _ buffer: inout EventBuffer) throws {
    try readAEDAT2(bytes, sensor: sensor, convention: .spikingJelly, into: &buffer)
  }

  private func aedat3(_ bytes: [UInt8], _ sensor: Sensor, _ buffer: inout EventBuffer) throws {
    try readAEDAT3(bytes, sensor: sensor, into: &buffer)
  }

  // MARK: N-MNIST

  @Test func atisBits() throws {
    var buffer = EventBuffer()
    try readATIS([3, 20, 0x80, 0x01, 0x02, 33, 0, 0x01, 0x02, 0x03], sensor: small, into: &buffer)
    #expect(
      buffer.pixels(width: 34) == [
        .init(time: 0x102, x: 3, y: 20, polarity: 1),
        .init(time: 0x10203, x: 33, y: 0, polarity: 0),
      ])
  }

  @Test func atisCounterStartsAgain() throws {
    let pixels = EventFixture.pixels(count: 50, size: 34, start: (1 << 23) - 2000)
    var buffer = EventBuffer()
    try readATIS(EventFixture.atis(pixels), sensor: small, into: &buffer)
    #expect(buffer.pixels(width: 34) == pixels)
  }

  @Test func atisErrorsNameTheByte() {
    let bytes = EventFixture.atis(EventFixture.pixels(count: 4, size: 34))
    #expect(failure(Array(bytes.dropLast(2)), small, atis)?.reason.hasPrefix("at byte 15") == true)
    var outside = bytes
    outside[10] = 34
    #expect(failure(outside, small, atis)?.reason.hasPrefix("at byte 10 an event at (34") == true)
  }

  // MARK: AEDAT 2.0

  @Test func aedat2Bits() throws {
    // 1 in bits 8 to 14, 2 in bits 1 to 7. The lowest bit is 0 for brighter.
    let bytes =
      Array("#!AER-DAT2.0\r\n".utf8) + [0, 0, 1, 4, 0xF0, 0, 0, 1, 0, 0, 1, 5, 0xF0, 0, 0, 2]
    var buffer = EventBuffer()
    for (convention, x, y) in [(EventConvention.spikingJelly, 126, 125), (.sltt, 125, 1)] {
      try readAEDAT2(bytes, sensor: large, convention: convention, into: &buffer)
      #expect(
        buffer.pixels(width: 128) == [
          .init(time: 0xF000_0001, x: x, y: y, polarity: 1),
          .init(time: 0xF000_0002, x: x, y: y, polarity: 0),
        ])
    }
  }

  @Test func aedat2CounterStartsAgainAndOrderIsRestored() throws {
    var pixels = EventFixture.pixels(count: 60, size: 128, start: (1 << 32) - 2000)
    pixels.swapAt(7, 8)
    pixels.swapAt(20, 22)
    var buffer = EventBuffer()
    try aedat2(EventFixture.aedat2(pixels), large, &buffer)
    #expect(buffer.pixels(width: 128) == pixels.sorted { $0.time < $1.time })
  }

  @Test func aedat2ErrorsNameTheByte() {
    let bytes = EventFixture.aedat2(EventFixture.pixels(count: 3, size: 128), header: "#h\n")
    #expect(
      failure(Array(bytes.dropLast(1)), large, aedat2)?.reason.hasPrefix("at byte 19") == true)
    #expect(failure(Array("#!AER-DAT3.1\r\n".utf8), large, aedat2) != nil)
    #expect(failure(Array("#!AER-DAT2.0".utf8), large, aedat2) != nil)
  }

  @Test func anotherCamerasAddressesAreRefused() {
    // A DAVIS has the row in bits 22 to 30, the column in bits 12 to 21, the polarity in bit 11, and
    // marks what is no such event in bit 31.
    for address: UInt32 in [3 << 22 | 40 << 12 | 1 << 11, 1 << 31, 1 << 16] {
      let bytes =
        Array("#h\n".utf8) + [0, 0, 1, 4, 0, 0, 0, 1] + EventFixture.bytes(address.bigEndian)
        + [0, 0, 0, 2]
      let reason = failure(bytes, large, aedat2)?.reason ?? "none"
      #expect(reason.hasPrefix("at byte 11 the address 0x\(String(address, radix: 16)) has more"))
    }
  }

  @Test func aFileFilledWithZerosIsRefused() {
    let header = Array("#h\n".utf8)
    let event: [UInt8] = [0, 0, 1, 4, 0, 0, 0, 1]
    let zeros = [UInt8](repeating: 0, count: 24)
    #expect(
      failure(header + event + zeros, large, aedat2)?.reason
        == "at byte 11 the file is filled with zeros: it is not complete")
    #expect(failure(zeros + [0], small, atis)?.reason.hasPrefix("at byte 0 the file is") == true)
    // A single event may be all zeros.
    var buffer = EventBuffer()
    #expect(throws: Never.self) { try atis(Array(zeros[..<5]) + [1, 2, 0, 0, 9], small, &buffer) }
    #expect(throws: Never.self) {
      try aedat2(header + Array(zeros[..<8]) + event, large, &buffer)
    }
  }

  // MARK: AEDAT 3.1

  @Test func aedat3PacketsAndOverflows() throws {
    let pixels = EventFixture.pixels(count: 40, size: 128, start: (3 << 31) - 2000)
    let bytes =
      EventFixture.aedat3Header + EventFixture.packet(Array(pixels[..<20]), overflows: 2)
      + EventFixture.packet(Array(pixels[..<5]), type: 0, overflows: 2)
      + EventFixture.packet(
        Array(pixels[20...]).map { pixel in
          var pixel = pixel
          pixel.time -= 3 << 31
          return pixel
        }, overflows: 3)
    var buffer = EventBuffer()
    // The counter has 31 bits; those above are the packet's.
    try readAEDAT3(
      withoutOverflow(bytes, firstPacket: EventFixture.aedat3Header.count, events: 20),
      sensor: large, into: &buffer)
    #expect(buffer.pixels(width: 128) == pixels)
  }

  /// Clears the top bit of the times of a packet.
  private func withoutOverflow(_ bytes: [UInt8], firstPacket: Int, events: Int) -> [UInt8] {
    var bytes = bytes
    for event in 0..<events { bytes[firstPacket + 28 + 8 * event + 7] &= 0x7F }
    return bytes
  }

  @Test func aedat3ErrorsNameTheByte() {
    let header = EventFixture.aedat3Header
    let packet = EventFixture.packet(EventFixture.pixels(count: 3, size: 128))
    func reason(_ bytes: [UInt8]) -> String { failure(bytes, large, aedat3)?.reason ?? "none" }
    #expect(reason(header + packet + packet.dropLast(3)).hasPrefix("at byte \(header.count + 52)"))
    #expect(reason(header + [1, 0]).hasPrefix("at byte \(header.count) the file ends"))
    #expect(reason(Array(header.dropLast(3))).contains("#!END-HEADER"))
    #expect(reason(Array("not a recording".utf8)).hasPrefix("at byte 0"))
    var tooMany = header + packet
    tooMany[header.count + 20] = 200
    #expect(reason(tooMany).contains("claims to hold 200"))
    var outside = header + packet
    outside[header.count + 28 + 8 + 3] = 0xFF
    #expect(reason(outside).hasPrefix("at byte \(header.count + 36) an event at"))
  }
}
