import Foundation

extension ShardIndex {
  /// Whether a directory has all shards, as far as the sizes of the files tell.
  func isComplete(directory: String) -> Bool {
    splits.values.flatMap(\.shards).allSatisfy { shard in
      (try? RandomAccessFile(path: directory + "/" + shard.file))?.size == shard.bytes
    }
  }

  /// Compares all shards of a directory with the index: their checksums, and that every sample is
  /// where the index says and has that label.
  ///
  /// - Parameter progress: is called after each shard with the numbers of shards checked, of all
  ///   shards, and of bytes read.
  /// - Returns: what is wrong, a line each; empty if nothing is.
  public func verify(
    directory: String, progress: (_ shards: Int, _ all: Int, _ bytes: Int) -> Void = { _, _, _ in }
  ) -> [String] {
    let shards = splits.sorted { $0.key < $1.key }.flatMap(\.value.shards)
    var problems: [String] = []
    var bytes = 0
    for (number, shard) in shards.enumerated() {
      if let problem = checkFile(of: shard, directory: directory)
        ?? checkSamples(of: shard, directory: directory)
      {
        problems.append(problem)
      }
      bytes += shard.bytes
      progress(number + 1, shards.count, bytes)
    }
    return problems
  }
}

/// What is wrong with the size or the checksum of a shard's file, if anything.
func checkFile(of shard: ShardIndex.Shard, directory: String) -> String? {
  let path = directory + "/" + shard.file
  do {
    let file = try Checksum.ofFile(path)
    guard file.bytes == shard.bytes else {
      return "\(path): has \(file.bytes) bytes instead of \(shard.bytes)"
    }
    return file.text == shard.checksum
      ? nil : "\(path): has the checksum \(file.text) instead of \(shard.checksum)"
  } catch {
    return "\(error)"
  }
}

/// What is wrong with the places and labels that the index has for a shard, if anything.
private func checkSamples(of shard: ShardIndex.Shard, directory: String) -> String? {
  let path = directory + "/" + shard.file
  do {
    let file = try RandomAccessFile(path: path)
    for sample in 0..<shard.samples {
      let image = try TarMember(file, at: shard.offsets[sample] - 512)
      guard let image, image.size == shard.sizes[sample] else {
        return "\(path): sample \(sample) is not where the index says"
      }
      let label = try TarMember(file, at: image.next)
      guard let label, label.key == image.key, label.suffix == "cls",
        try label.text(file) == "\(shard.labels[sample])"
      else {
        return "\(path): \(image.key) does not have the label \(shard.labels[sample])"
      }
    }
    return nil
  } catch {
    return "\(error)"
  }
}

/// A file in a tar archive.
private struct TarMember {
  let key: Substring
  let suffix: Substring
  let size: Int
  let start: Int

  /// - Parameter offset: of its header.
  /// - Returns: `nil` if there is none.
  init?(_ file: RandomAccessFile, at offset: Int) throws(DatasetError) {
    var header: [UInt8] = []
    try file.read(offset..<offset + 512, into: &header)
    let name = String(decoding: header[..<100].prefix { $0 != 0 }, as: UTF8.self)
    let digits = String(decoding: header[124..<135], as: UTF8.self)
    guard let dot = name.firstIndex(of: "."), let size = Int(digits, radix: 8) else { return nil }
    (key, suffix, self.size) = (name[..<dot], name[name.index(after: dot)...], size)
    start = offset + 512
  }

  /// Where the next header is.
  var next: Int { start + (size + 511) / 512 * 512 }

  func text(_ file: RandomAccessFile) throws(DatasetError) -> String {
    var bytes: [UInt8] = []
    try file.read(start..<start + min(size, 20), into: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}
