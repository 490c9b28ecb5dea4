import Foundation
import Tensors
import TestSupport
import Testing

@testable import Datasets

/// Mutated files give errors, or results where the damage does no harm.
struct EventFuzzTests {
  /// Changes, removes, repeats or inserts bytes.
  private func mutated(_ bytes: [UInt8], _ random: inout RandomStream) -> [UInt8] {
    var bytes = bytes
    for _ in 0...random.uniform(below: 4) {
      guard !bytes.isEmpty else { return bytes }
      // Headers are at the beginning: half of the changes go there.
      let limit = random.uniform() < 0.5 ? min(bytes.count, 160) : bytes.count
      let position = random.uniform(below: limit)
      switch random.uniform(below: 5) {
      case 0: bytes[position] = UInt8(random.uniform(below: 256))
      case 1: bytes[position] ^= 1 << UInt8(random.uniform(below: 8))
      case 2:
        bytes.removeSubrange(position..<min(position + 1 + random.uniform(below: 9), bytes.count))
      case 3: bytes.removeLast(bytes.count - position)
      default:
        let extreme: UInt8 = random.uniform() < 0.5 ? 0xFF : 0
        bytes.insert(contentsOf: repeatElement(extreme, count: 4), at: position)
      }
    }
    return bytes
  }

  private func cases(_ seed: [UInt8], count: Int, _ body: ([UInt8]) throws -> Void) {
    var errors = 0
    for index in 0..<count {
      var random = RandomStream(seed: 77, purpose: .augmentation, time: seed.count, index: index)
      do {
        try body(mutated(seed, &random))
      } catch is RecordingFailure, is DatasetError {
        errors += 1
      } catch {
        Issue.record(error, "case \(index)")
      }
    }
    #expect(errors > 0, "damage that nothing notices is no test")
  }

  @Test func recordings() {
    let pixels = EventFixture.pixels(count: 40, size: 34, start: (1 << 31) - 1000)
    let sensor = Sensor(width: 128, height: 128)
    var buffer = EventBuffer()
    var frames = [Float](repeating: 0, count: 4 * sensor.frameCount)
    func integrate() {
      for rule in [FrameRule.number(4, by: .number), .number(4, by: .time), .duration(300)] {
        frames.withUnsafeMutableBufferPointer {
          rule.integrate(
            buffer.events(in: 0..<Int64.max), timesteps: 4, frameCount: sensor.frameCount, into: $0)
        }
      }
    }
    cases(EventFixture.atis(pixels), count: 1000) {
      try readATIS($0, sensor: sensor, into: &buffer)
      integrate()
    }
    cases(EventFixture.aedat2(pixels), count: 1000) {
      try readAEDAT2($0, sensor: sensor, convention: .sltt, into: &buffer)
      integrate()
    }
    let packets =
      EventFixture.packet(Array(pixels[..<10])) + EventFixture.packet(Array(pixels[10...]))
    cases(EventFixture.aedat3Header + packets, count: 2000) {
      try readAEDAT3($0, sensor: sensor, into: &buffer)
      integrate()
    }
  }

  @Test func tables() {
    let text = "class,startTime_usec,endTime_usec\n1,80048239,85092709\n2,89431170,95231007\n"
    cases(Array(text.utf8), count: 1000) { _ = try gestureLabels($0) }
  }

  @Test func arrays() throws {
    let directory = try TemporaryDirectory()
    let array = EventFixture.npy(
      [2, 2, 3, 3], ">f2", Array(repeating: 0, count: 72), isColumnMajor: true)
    cases(array, count: 2000) { bytes in
      try NumpyArray(bytes).forEach(in: bytes) { _, _ in }
    }
    var bytes: [UInt8] = []
    cases(EventFixture.zip("frames.npy", array), count: 500) {
      try directory.write($0, to: "a.npz")
      try readFrames(ofArchive: directory.path + "/a.npz", bytes: &bytes).forEach(in: bytes) {
        _, _ in
      }
    }
  }

  @Test func storedFrames() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/frames"
    let header = FrameFile.Header(
      key: 5, samples: 3, timesteps: 2, sensor: Sensor(width: 2, height: 2))
    do {
      let writer = try FrameFileWriter(path: path, header: header)
      for sample in 0..<3 {
        writer.write(.success(Array(repeating: Float(sample), count: 16)), of: sample)
      }
      try writer.finish()
    }
    #expect(FrameFile(path: path, key: 5)?.header == header)
    #expect(FrameFile(path: path, key: 6) == nil)
    let intact = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var (bytes, frames): ([UInt8], [Float]) = ([], [])
    cases(intact, count: 500) {
      try directory.write($0, to: "frames")
      guard let file = FrameFile(path: path, key: 5) else {
        throw RecordingFailure(reason: "there are no frames")
      }
      for sample in 0..<min(file.header.samples, 3) {
        try file.read(sample, name: "", bytes: &bytes, frames: &frames)
        #expect(frames == Array(repeating: Float(sample), count: 16), "unnoticed damage")
      }
    }
  }
}
