extension Array {
  /// Changes the count and keeps the memory; new elements are `filler`.
  @inlinable
  public mutating func resize(to newCount: Int, filler: Element) {
    if newCount < count {
      removeLast(count - newCount)
    } else if newCount > count {
      append(contentsOf: repeatElement(filler, count: newCount - count))
    }
  }
}

extension Array where Element: FixedWidthInteger {
  /// Changes the count and keeps the memory; new elements are 0.
  @inlinable
  public mutating func resize(to newCount: Int) { resize(to: newCount, filler: 0) }
}
