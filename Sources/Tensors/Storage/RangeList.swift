/// A set of offsets as ranges, for the few hundred blocks of an arena: ascending, none empty, no two adjacent.
struct RangeList {
  private(set) var ranges: [Range<Int>] = []

  init() { ranges.reserveCapacity(256) }

  func contains(_ range: Range<Int>) -> Bool {
    let index = firstIndex(after: range.lowerBound)
    return index < ranges.endIndex && ranges[index].clamped(to: range) == range
  }

  /// - Precondition: none of it is in the set yet.
  mutating func insert(_ range: Range<Int>) {
    var range = range
    var index = firstIndex(after: range.lowerBound)
    if index < ranges.endIndex, ranges[index].lowerBound == range.upperBound {
      range = range.lowerBound..<ranges.remove(at: index).upperBound
    }
    if index > 0, ranges[index - 1].upperBound == range.lowerBound {
      index -= 1
      range = ranges.remove(at: index).lowerBound..<range.upperBound
    }
    ranges.insert(range, at: index)
  }

  /// Returns how much of the range was in the set.
  @discardableResult mutating func remove(_ range: Range<Int>) -> Int {
    var (index, removed) = (firstIndex(after: range.lowerBound), 0)
    while index < ranges.endIndex, ranges[index].lowerBound < range.upperBound {
      let found = ranges.remove(at: index)
      removed += found.clamped(to: range).count
      if found.upperBound > range.upperBound {
        ranges.insert(range.upperBound..<found.upperBound, at: index)
      }
      if found.lowerBound < range.lowerBound {
        ranges.insert(found.lowerBound..<range.lowerBound, at: index)
        index += 1
      }
      if found.upperBound >= range.upperBound { break }
    }
    return removed
  }

  mutating func removeAll() { ranges.removeAll(keepingCapacity: true) }

  /// Of the range that holds the offset, or the first one behind it.
  private func firstIndex(after offset: Int) -> Int {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound > offset { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
