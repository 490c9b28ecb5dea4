import Foundation
import Support

/// The frames of all samples of a split in one file.
///
///     header   64 bytes: magic, key, samples, T, H, W, position and checksum of the table
///     frames   of the samples in any order, [T, H, W, 2], see FrameEncoding
///     table    24 bytes a sample: position, encoding << 56 | size, checksum
///
/// All numbers are little-endian. The key stands for everything that the frames depend on. A reader
/// holds the file open, so that another one may take its place meanwhile.
final class FrameFile: Sendable {
  static let magic = UInt64(littleEndian: 0x3230_5456_4554_4C53)  // "SLTEVT02"

  /// What is in a file.
  struct Header: Equatable {
    var key: UInt64
    var samples: Int
    var timesteps: Int
    var sensor: Sensor
  }

  struct Entry {
    var position: UInt64 = 0
    var encoding = FrameEncoding.failure
    var size = 0
    var checksum: UInt64 = 0
  }

  let header: Header
  private let file: RandomAccessFile
  private let table: [Entry]

  var path: String { file.path }

  /// Opens a file; `nil` unless it is there, intact, and has the key.
  init?(path: String, key: UInt64) {
    guard let file = try? RandomAccessFile(path: path),
      let (header, table) = Self.readTable(file), header.key == key
    else { return nil }
    (self.file, self.header, self.table) = (file, header, table)
  }

  private static func readTable(_ file: RandomAccessFile) -> (Header, [Entry])? {
    var bytes: [UInt8] = []
    guard (try? file.read(0..<64, into: &bytes)) != nil else { return nil }
    let words = bytes.words
    let fields = words.map { Int(truncatingIfNeeded: $0) }
    let (samples, table) = (fields[2], fields[6])
    guard words[0] == magic, (1...Int(Int32.max)).contains(samples),
      fields[3...5].allSatisfy({ (1...1 << 20).contains($0) }), table >= 64,
      table == file.size - 24 * samples,
      (try? file.read(table..<file.size, into: &bytes)) != nil,
      XXHash64.hash(bytes) == words[7]
    else { return nil }
    let entries = bytes.words
    var result: [Entry] = []
    for sample in 0..<samples {
      let size = Int(entries[3 * sample + 1] & 0xFF_FFFF_FFFF_FFFF)
      guard let encoding = FrameEncoding(rawValue: UInt32(entries[3 * sample + 1] >> 56)) else {
        return nil
      }
      result.append(
        Entry(
          position: entries[3 * sample], encoding: encoding, size: size,
          checksum: entries[3 * sample + 2]))
    }
    let sensor = Sensor(width: fields[5], height: fields[4])
    return (
      Header(key: words[1], samples: samples, timesteps: fields[3], sensor: sensor), result
    )
  }

  /// Reads the frames of a sample, or the reason why it has none.
  ///
  /// - Parameters:
  ///   - bytes: scratch memory.
  ///   - frames: `[T, H, W, 2]`.
  /// - Throws: `DatasetError.malformed` for a sample that has no frames, `.unreadable` for damage.
  func read(
    _ sample: Int, name: @autoclosure () -> String, bytes: inout [UInt8], frames: inout [Float]
  ) throws(DatasetError) {
    let entry = table[sample]
    let count = header.timesteps * header.sensor.frameCount
    guard entry.encoding == .failure || entry.size == count * entry.encoding.width,
      let start = Int(exactly: entry.position), start <= file.size - entry.size,
      (try? file.read(start..<start + entry.size, into: &bytes)) != nil,
      XXHash64.hash(bytes) == entry.checksum
    else {
      throw .unreadable(
        path: path, reason: "the stored frames of \(name()) are damaged; delete this file")
    }
    guard entry.encoding != .failure else {
      throw .malformed(sample: name(), reason: String(decoding: bytes, as: UTF8.self))
    }
    frames.resize(to: count, filler: 0)
    entry.encoding.decode(bytes, into: &frames)
  }
}

extension [UInt8] {
  /// As little-endian words; what is left over does not count.
  var words: [UInt64] {
    withUnsafeBytes { raw in
      (0..<raw.count / 8).map {
        UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self))
      }
    }
  }
}

/// Writes a `FrameFile`, from several threads at once. The file appears when it is complete.
final class FrameFileWriter: @unchecked Sendable {
  private let file: PartialFile
  private let header: FrameFile.Header
  private let lock = NSLock()
  // Guarded by `lock`.
  private var table: [FrameFile.Entry]
  private var end = 64
  private var failure: DatasetError?

  init(path: String, header: FrameFile.Header) throws(DatasetError) {
    file = try onFiles(PartialFile(path: path, isShared: true))
    self.header = header
    table = Array(repeating: FrameFile.Entry(), count: header.samples)
  }

  /// Stores the frames of a sample, or why it has none.
  func write(_ frames: Result<[Float], RecordingFailure>, of sample: Int) {
    switch frames {
    case .success(let frames):
      let encoding = FrameEncoding(for: frames)
      var bytes: [UInt8] = []
      encoding.append(frames, to: &bytes)
      write(bytes, encoding, of: sample)
    case .failure(let failure): write(Array(failure.reason.utf8), .failure, of: sample)
    }
  }

  private func write(_ bytes: [UInt8], _ encoding: FrameEncoding, of sample: Int) {
    let sum = XXHash64.hash(bytes)
    let position = lock.withLock {
      defer { end += bytes.count }
      table[sample] = FrameFile.Entry(
        position: UInt64(end), encoding: encoding, size: bytes.count, checksum: sum)
      return end
    }
    write(bytes, at: position)
  }

  private func write(_ bytes: [UInt8], at position: Int) {
    do {
      try file.write(bytes, at: position)
    } catch {
      fail(.file(error))
    }
  }

  /// Ends the work with an error.
  func fail(_ error: DatasetError) {
    lock.withLock { failure = failure ?? error }
  }

  /// Whether there is an error already.
  var hasFailed: Bool { lock.withLock { failure != nil } }

  /// Completes the file and puts it in its place.
  ///
  /// - Parameter progress: is called as its content gets to the disk.
  func finish(progress: () -> Void = {}) throws(DatasetError) {
    let bytes = table.flatMap { entry in
      Self.bytes([
        entry.position, UInt64(entry.encoding.rawValue) << 56 | UInt64(entry.size), entry.checksum,
      ])
    }
    write(bytes, at: end)
    let fields = [header.samples, header.timesteps, header.sensor.height, header.sensor.width, end]
    write(
      Self.bytes([FrameFile.magic, header.key] + fields.map(UInt64.init) + [XXHash64.hash(bytes)]),
      at: 0)
    if let failure { throw failure }
    try onFiles(file.finish(progress: progress))
  }

  private static func bytes(_ words: [UInt64]) -> [UInt8] {
    words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }
  }
}
