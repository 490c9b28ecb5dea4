/// The mean of one or more values.
public func mean(_ values: [Double]) -> Double {
  precondition(!values.isEmpty, "no values have no mean")
  return values.reduce(0, +) / Double(values.count)
}

/// The middle one of one or more values, or the mean of the two.
public func median(_ values: [Double]) -> Double {
  precondition(!values.isEmpty, "no values have no median")
  let sorted = values.sorted()
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

/// The standard deviation of what two or more values are a sample of: divided by one less than their number.
public func deviation(_ values: [Double]) -> Double {
  precondition(values.count > 1, "a single value has no deviation")
  let mean = mean(values)
  let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (squares / Double(values.count - 1)).squareRoot()
}
