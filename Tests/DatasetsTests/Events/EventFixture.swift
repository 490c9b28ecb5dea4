import Foundation
import Support

@testable import Datasets

/// Files of events, made byte by byte.
enum EventFixture {
  struct Pixel: Equatable {
    var time: Int64
    var x: Int
    var y: Int
    var polarity: Int
  }

  /// Events at pseudo-random places, `step` microseconds apart.
  static func pixels(
    count: Int, size: Int, step: Int64 = 100, start: Int64 = 1000, seed: Int = 1
  ) -> [Pixel] {
    (0..<count).map { index in
      let hash = (index + 7 * seed) &* 2_654_435_761
      return Pixel(
        time: start + Int64(index) * step, x: (hash >> 8) % size, y: (hash >> 20) % size,
        polarity: hash >> 5 & 1)
    }
  }

  static func atis(_ pixels: [Pixel]) -> [UInt8] {
    pixels.flatMap { pixel -> [UInt8] in
      let word = UInt32(truncatingIfNeeded: pixel.time) & 0x7F_FFFF | UInt32(pixel.polarity) << 23
      return [UInt8(pixel.x), UInt8(pixel.y)] + bytes(word.bigEndian).dropFirst()
    }
  }

  static func aedat2(_ pixels: [Pixel], header: String = "#!AER-DAT2.0\r\n# raw\r\n") -> [UInt8] {
    Array(header.utf8)
      + pixels.flatMap { pixel -> [UInt8] in
        let address = UInt32(127 - pixel.x) << 8 | UInt32(127 - pixel.y) << 1
        let time = UInt32(truncatingIfNeeded: pixel.time)
        return bytes((address | UInt32(1 - pixel.polarity)).bigEndian) + bytes(time.bigEndian)
      }
  }

  static let aedat3Header = Array("#!AER-DAT3.1\r\n#Format: RAW\r\n#!END-HEADER\r\n".utf8)

  /// One packet.
  static func packet(_ pixels: [Pixel], type: UInt16 = 1, overflows: UInt32 = 0) -> [UInt8] {
    let count = UInt32(pixels.count)
    let header =
      bytes(type) + bytes(UInt16(1)) + [8, 4, overflows, count, count, count].flatMap(bytes)
    return header
      + pixels.flatMap { pixel -> [UInt8] in
        let data = UInt32(pixel.x) << 17 | UInt32(pixel.y) << 2 | UInt32(pixel.polarity) << 1 | 1
        return bytes(data) + bytes(UInt32(truncatingIfNeeded: pixel.time))
      }
  }

  /// An array in NumPy's format.
  static func npy(
    _ shape: [Int], _ descr: String, _ data: [UInt8], isColumnMajor: Bool = false,
    version: UInt8 = 1
  ) -> [UInt8] {
    let extents = shape.map { "\($0)," }.joined(separator: " ")
    let order = isColumnMajor ? "True" : "False"
    return npyHeader(
      "{'descr': '\(descr)', 'fortran_order': \(order), 'shape': (\(extents)), }",
      version: version) + data
  }

  static func npyHeader(_ text: String, version: UInt8 = 1) -> [UInt8] {
    let padded = text + String(repeating: " ", count: 117 - text.count % 64) + "\n"
    let count = padded.utf8.count
    return [0x93] + Array("NUMPY".utf8) + [version, 0]
      + (version == 1 ? bytes(UInt16(count)) : bytes(UInt32(count))) + Array(padded.utf8)
  }

  /// A zip archive of one uncompressed file.
  static func zip(_ name: String, _ content: [UInt8]) -> [UInt8] {
    let sizes = bytes(crc32(content)) + bytes(UInt32(content.count)) + bytes(UInt32(content.count))
    let common = [20, 0, 0, 0, 0, 0, 0, 0, 0, 0] + sizes + bytes(UInt16(name.utf8.count)) + [0, 0]
    let local = [0x50, 0x4B, 3, 4] + common + Array(name.utf8) + content
    let central =
      [0x50, 0x4B, 1, 2, 20, 0] + common + [UInt8](repeating: 0, count: 14) + Array(name.utf8)
    return local + central + [0x50, 0x4B, 5, 6, 0, 0, 0, 0, 1, 0, 1, 0]
      + bytes(UInt32(central.count)) + bytes(UInt32(local.count)) + [0, 0]
  }

  private static func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xEDB8_8320) }
    }
  }

  /// In the order of memory.
  static func bytes<Value>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value) { Array($0) }
  }
}

extension EventBuffer {
  /// What was read, in the order of time.
  func pixels(width: Int) -> [EventFixture.Pixel] {
    events.map { event in
      let position = Int(event.position)
      return EventFixture.Pixel(
        time: event.time, x: position / 2 % width, y: position / 2 / width, polarity: position % 2)
    }
  }
}
