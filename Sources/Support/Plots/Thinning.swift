extension [Double] {
  /// As they are if there are `count` at most; else so many means, each of as many neighbours, but for the
  /// last.
  public func thinned(to count: Int) -> [Double] {
    precondition(count > 0, "something is left")
    let size = (self.count + count - 1) / count
    guard size > 1 else { return self }
    return stride(from: 0, to: self.count, by: size).map { start in
      let group = self[start..<Swift.min(start + size, self.count)]
      return group.reduce(0, +) / Double(group.count)
    }
  }
}
