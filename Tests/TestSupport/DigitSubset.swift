import Datasets

/// The first images of some digits of the embedded MNIST.
public struct DigitSubset: ImageSource {
  /// Unpacked once, which takes as long as a whole test.
  private static let opened = Dictionary(
    uniqueKeysWithValues: ["train", "val"].map { split in
      (split, Result { try ImageDataset.open(path: EmbeddedData.mnistPath(), split: split) })
    })

  private let all: any ImageSource
  private let indices: [Int]
  public let classes: [String]
  public let labels: [Int32]

  /// - Parameters:
  ///   - split: `train` or `val`.
  ///   - counts: images of each digit, from 0; the classes are these digits.
  public init(_ split: String, counts: [Int]) throws {
    let images = try Self.opened[split]!.get()
    var taken = [Int](repeating: 0, count: counts.count)
    let indices = images.labels.indices.filter { index in
      let digit = Int(images.labels[index])
      guard digit < counts.count, taken[digit] < counts[digit] else { return false }
      taken[digit] += 1
      return true
    }
    all = images
    self.indices = indices
    classes = Array(images.classes.prefix(counts.count))
    labels = indices.map { images.labels[$0] }
  }

  public var location: String { all.location }

  public func name(of index: Int) -> String { all.name(of: indices[index]) }

  public func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {
    try all.read(indices[index], into: &bytes)
  }

  /// Writes the images as a split of an image folder: `SPLIT/CLASS/NUMBER.png`.
  public func write(to directory: TemporaryDirectory, split: String) throws {
    for index in indices.indices {
      try directory.write(
        try bytes(of: index), to: "\(split)/\(classes[Int(labels[index])])/\(index).png")
    }
  }
}
