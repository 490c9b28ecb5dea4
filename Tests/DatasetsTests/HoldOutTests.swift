import TestSupport
import Testing

@testable import Datasets

/// The division of a split into images to learn from and images to validate on.
struct HoldOutTests {
  private func folder(_ sizes: [Int]) throws -> (TemporaryDirectory, ImageFolder) {
    let directory = try TemporaryDirectory()
    for (name, size) in zip("abcdefgh", sizes) {
      for image in 0..<size {
        try directory.write("\(name)\(image)", to: "train/\(name)/\(10 + image).png")
      }
    }
    return (directory, try ImageFolder(path: directory.path, splits: ["train"]))
  }

  private func counts(_ subset: ImageSubset) -> [Int] {
    subset.labels.reduce(into: subset.classes.map { _ in 0 }) { $0[Int($1)] += 1 }
  }

  private func names(_ source: any ImageSource) -> [String] {
    (0..<source.count).map { source.name(of: $0) }
  }

  @Test func aShareOfEachClassIsHeldOut() throws {
    let (_directory, folder) = try folder([20, 10, 4, 2, 1])
    defer { withExtendedLifetime(_directory) {} }
    let parts = folder.holdingOut(0.1)
    #expect(counts(parts.heldOut) == [2, 1, 1, 1, 0])
    #expect(counts(parts.training) == [18, 9, 3, 1, 1])
    #expect(counts(folder.holdingOut(0.25).heldOut) == [5, 3, 1, 1, 0])
    #expect(counts(folder.holdingOut(0.999).training) == [1, 1, 1, 1, 1])
    #expect(parts.heldOut.classes == folder.classes && parts.heldOut.location == folder.location)
  }

  @Test func eachImageIsOnOneSideInItsOrder() throws {
    let (_directory, folder) = try folder([7, 9, 5])
    defer { withExtendedLifetime(_directory) {} }
    let parts = folder.holdingOut(0.3)
    let (training, heldOut) = (names(parts.training), names(parts.heldOut))
    #expect(Set(training).isDisjoint(with: heldOut))
    #expect((training + heldOut).sorted() == names(folder))
    #expect(training.sorted() == training && heldOut.sorted() == heldOut)
    for subset in [parts.training, parts.heldOut] {
      for (index, name) in names(subset).enumerated() {
        let parts = name.split(separator: "/").suffix(2)
        let image = try #require(Int(parts.last!.prefix(2)))
        let text = String(decoding: try subset.bytes(of: index), as: UTF8.self)
        #expect(text == "\(parts.first!)\(image - 10)")
        #expect(subset.classes[Int(subset.labels[index])] == parts.first!)
      }
    }
  }

  /// Also where few are in a shard: all shards are at hand where images are held out.
  @Test func anyImageOfTheSameSideMayStandIn() throws {
    let (_directory, folder) = try folder([7, 9])
    defer { withExtendedLifetime(_directory) {} }
    let parts = folder.holdingOut(0.2)
    for subset in [parts.training, parts.heldOut] {
      #expect(subset.substitutes(for: 1) == 0..<subset.count)
    }
  }

  @Test func partsHaveFingerprintsOfTheirOwn() throws {
    let (_directory, folder) = try folder([6, 6])
    defer { withExtendedLifetime(_directory) {} }
    let parts = folder.holdingOut(0.5)
    #expect(parts.heldOut.labels == parts.training.labels)
    let prints = [folder.fingerprint, parts.training.fingerprint, parts.heldOut.fingerprint]
    #expect(Set(prints).count == 3)
    #expect(folder.holdingOut(0.5).training.fingerprint == prints[1])
  }

  @Test func shardsAreMadeOfBothParts() throws {
    let directory = try TemporaryDirectory()
    try DigitSubset("train", counts: [10, 10]).write(to: directory, split: "train")
    let writer = try ShardWriter(
      source: directory.path, heldOutShare: 0.2, output: directory.file("shards"),
      division: .count(2), resize: nil, seed: 1, workers: 1)
    _ = try writer.run { _ in }
    for (split, count) in [("train", 16), ("val", 4)] {
      let shards = try ShardSource(path: directory.file("shards"), splits: [split])
      #expect(shards.count == count && Set(shards.labels).count == 2)
    }
    #expect(throws: DatasetError.self) {
      _ = try ShardWriter(
        source: directory.path, heldOutShare: 0.3, output: directory.file("shards"),
        division: .count(2), resize: nil, seed: 1, workers: 1
      ).run { _ in }
    }
  }
}
