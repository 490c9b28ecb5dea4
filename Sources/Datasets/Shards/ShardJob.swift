import Foundation
import Support

/// One shard to be made.
struct ShardJob: Sendable {
  let split: String
  let number: Int
  let source: any ImageSource
  /// Indices into the source.
  let samples: [Int32]

  var file: String {
    let digits = String(number)
    return split + "-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".tar"
  }

  /// Writes the shard; under its name there is never a part of it.
  ///
  /// - Parameter didSample: is called after each sample; if it returns `false`, the work ends without
  ///   a result.
  func write(
    directory: String, resize: Int?,
    didSample: (_ bytes: Int, _ skipped: ShardIndex.SkippedSample?) -> Bool
  ) throws(DatasetError) -> ShardIndex.Shard? {
    let writer = try TarWriter(path: directory + "/" + file)
    let reader = ShardSampleReader(source, shorterSide: resize)
    var (offsets, sizes, labels): ([Int], [Int], [Int]) = ([], [], [])
    var skipped: [ShardIndex.SkippedSample] = []
    for sample in samples.map({ Int($0) }) {
      do {
        try reader.read(sample)
      } catch .undecodable(let name, let reason) {
        skipped.append(ShardIndex.SkippedSample(sample: name, reason: reason))
        guard didSample(0, skipped.last) else { return nil }
        continue
      }
      let key = key(of: sample)
      offsets.append(try writer.append("\(key).\(reader.fileExtension)", reader.bytes))
      sizes.append(reader.bytes.count)
      labels.append(Int(source.labels[sample]))
      _ = try writer.append(key + ".cls", Array("\(source.labels[sample])".utf8))
      guard didSample(reader.bytes.count, nil) else { return nil }
    }
    let (bytes, hash) = try writer.finish()
    return ShardIndex.Shard(
      file: file, samples: offsets.count, bytes: bytes, checksum: Checksum.text(hash),
      offsets: offsets, sizes: sizes, labels: labels, skipped: skipped)
  }

  /// Unique in the split, and without the characters that end a key in WebDataset.
  private func key(of sample: Int) -> String {
    let number = String(sample)
    let file = source.name(of: sample).split(separator: "/").last ?? ""
    let stem = file.prefix(upTo: file.lastIndex(of: ".") ?? file.endIndex)
    let name = stem.utf8.prefix(60).map { byte -> Character in
      let character = Character(Unicode.Scalar(byte))
      let isPlain = character.isASCII && (character.isLetter || character.isNumber)
      return isPlain || character == "-" || character == "_" ? character : "_"
    }
    return String(repeating: "0", count: max(0, 8 - number.count)) + number + "_" + String(name)
  }
}
