/// How values are distributed, in buckets of equal width from the least to the greatest: as fine as TensorBoard
/// shows it.
public struct Histogram: Equatable, Sendable {
  public let least, greatest: Double
  public let sum, sumOfSquares: Double
  /// Values in each bucket, from the least values on; only one where all are equal.
  public let counts: [Int]

  private static let mostBuckets = 64

  /// Of the values that are finite; nil if none is.
  public init?(_ values: UnsafeBufferPointer<Float>) {
    var (least, greatest) = (Float.infinity, -Float.infinity)
    var (sum, squares) = (0.0, 0.0)
    for value in values where value.isFinite {
      (least, greatest) = (min(least, value), max(greatest, value))
      sum += Double(value)
      squares += Double(value) * Double(value)
    }
    guard least <= greatest else { return nil }
    (self.least, self.greatest) = (Double(least), Double(greatest))
    (self.sum, sumOfSquares) = (sum, squares)
    let first = Double(least)
    let last = least < greatest ? Self.mostBuckets - 1 : 0
    let scale = least < greatest ? Double(last + 1) / (Double(greatest) - first) : 0
    var counts = [Int](repeating: 0, count: last + 1)
    for value in values where value.isFinite {
      counts[min(Int((Double(value) - first) * scale), last)] += 1
    }
    self.counts = counts
  }

  /// The upper edge of each bucket.
  var limits: [Double] {
    let width = (greatest - least) / Double(counts.count)
    return counts.indices.dropLast().map { least + Double($0 + 1) * width } + [greatest]
  }
}
