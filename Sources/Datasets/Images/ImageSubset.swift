import Support

/// Some images of a split, in its order.
public struct ImageSubset: ImageSource {
  /// The split.
  public let whole: any ImageSource
  public let labels: [Int32]
  /// Their positions in the split, ascending.
  private let positions: [Int32]

  init(_ whole: any ImageSource, positions: [Int32]) {
    (self.whole, self.positions) = (whole, positions)
    let labels = whole.labels
    self.labels = positions.map { labels[Int($0)] }
  }

  public var location: String { whole.location }
  public var classes: [String] { whole.classes }
  public var encoding: ImageEncoding { whole.encoding }
  public var passedOver: PassedOver { whole.passedOver }
  public var sizeNote: String? { whole.sizeNote }

  public func name(of index: Int) -> String { whole.name(of: Int(positions[index])) }

  public func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {
    try whole.read(Int(positions[index]), into: &bytes)
  }

  public var listingHash: UInt64 {
    var hash = XXHash64()
    withUnsafeBytes(of: whole.listingHash.littleEndian) { hash.update($0) }
    positions.withUnsafeBytes { hash.update($0) }
    return hash.value
  }
}

extension ImageSource {
  /// Divides the split: a share of each class, evenly spread over its images, is held out to validate on. It
  /// depends on the list of images only. Of a class with several images at least one is on each side; one
  /// that is alone in its class is learnt from.
  ///
  /// - Parameter share: from 0 to 1.
  public func holdingOut(_ share: Double) -> (training: ImageSubset, heldOut: ImageSubset) {
    let labels = labels
    var sizes = Array(repeating: 0, count: classes.count)
    for label in labels { sizes[Int(label)] += 1 }
    let wanted = sizes.map { size in
      min(max(Int((share * Double(size)).rounded()), 1), size - 1)
    }
    var seen = Array(repeating: 0, count: classes.count)
    var (training, heldOut): ([Int32], [Int32]) = ([], [])
    for (position, label) in labels.enumerated().map({ (Int32($0), Int($1)) }) {
      let number = seen[label]
      seen[label] += 1
      let isHeldOut =
        number * wanted[label] / sizes[label] < (number + 1) * wanted[label] / sizes[label]
      if isHeldOut { heldOut.append(position) } else { training.append(position) }
    }
    return (
      ImageSubset(self, positions: training), ImageSubset(self, positions: heldOut)
    )
  }
}
