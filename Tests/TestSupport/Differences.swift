/// The largest difference between the numbers of two lists; infinite where there are not as many of both, or
/// where one is not a number, which `max` would pass over.
public func largestDifference<Number: BinaryFloatingPoint>(
  _ a: [Number], _ b: [Number]
) -> Number {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { largest, pair in
    let difference = abs(pair.0 - pair.1)
    return difference <= largest ? largest : difference.isNaN ? .infinity : difference
  }
}

/// The same, relative to the largest entry of the second list.
public func relativeDifference(_ a: [Float], _ b: [Float]) -> Float {
  let difference = largestDifference(a, b)
  guard difference > 0 && difference.isFinite else { return difference }
  return difference / b.reduce(0) { max($0, abs($1)) }
}
