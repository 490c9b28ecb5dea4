import Foundation
import Support

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
      return "\(path): has \(Format.counted(file.bytes, "byte")) instead of \(shard.bytes)"
    }
    return file.text == shard.checksum
      ? nil : "\(path): has the checksum \(file.text) instead of \(shard.checksum)"
  } catch {
    return "\(error)"
  }
}

extension ShardIndex {
  /// What is wrong with the places and labels that the index has for a shard, if anything.
  fileprivate func checkSamples(of shard: Shard, directory: String) -> String? {
    let path = directory + "/" + shard.file
    do {
      let scan = try ShardScan(path: path)
      let classes = ShardClasses(names: self.classes, numbers: classNumbers)
      guard scan.samples.count == shard.samples else {
        let count = Format.counted(scan.samples.count, "sample")
        return "\(path): has \(count) instead of \(shard.samples)"
      }
      for (number, sample) in scan.samples.enumerated() {
        guard sample.place.lowerBound == shard.offsets[number],
          sample.place.count == shard.sizes[number]
        else { return "\(path): \(sample.key) is not where the index says" }
        guard classes.position(of: sample.label) == shard.labels[number] else {
          return "\(path): \(sample.key) does not have the label \(shard.labels[number])"
        }
      }
      return nil
    } catch {
      return "\(error)"
    }
  }
}
