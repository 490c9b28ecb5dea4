import ArgumentParser

/// Refuses the value of an option that is outside of a range; one that was left out is in it.
func require<Value: Comparable>(
  _ option: String, _ value: Value?, in range: ClosedRange<Value>
) throws {
  guard let value, !range.contains(value) else { return }
  throw ValidationError(
    "\(option) \(value): must be from \(range.lowerBound) to \(range.upperBound)")
}

/// What options that are numbers may ask for: far more than makes sense, but nothing that overflows.
enum OptionLimit {
  static let threads = 1...1024
  static let rounds = 1...100_000
  static let iterations = 1...1_000_000
  static let seconds = 0.001...86_400
  static let timesteps = 1...10_000
  static let picojoules = 0.0...1e9
  static let classes = 1...1_000_000
  static let samples = 1...1_000_000
  /// Batch norm leaves half of the potentials below any threshold above 0.
  static let firingRates = 0.001...0.4
}

/// The named choices in a list with commas, such as `sltt,bptt`.
func choices<Choice: CaseIterable & Equatable & RawRepresentable<String>>(_ text: String) throws
  -> [Choice]
{
  try parts(of: text) { part in
    guard let choice = Choice(rawValue: String(part)) else {
      let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("'\(part)' is not one of \(all)")
    }
    return choice
  }
}

/// The numbers in a list with commas, such as `1,2,4`.
///
/// - Parameter unit: what they count, for the message.
func counts(_ text: String, of unit: String, in range: ClosedRange<Int>) throws -> [Int] {
  try parts(of: text) { part in
    guard let count = Int(part), range.contains(count) else {
      throw ValidationError(
        "'\(part)' is not a number of \(unit) from \(range.lowerBound) to \(range.upperBound)")
    }
    return count
  }
}

/// The shares, above 0 and up to 1, in a list with commas, such as `0.05,0.25`.
func shares(_ text: String) throws -> [Double] {
  try parts(of: text) { part in
    guard let share = Double(part), share > 0, share <= 1 else {
      throw ValidationError("'\(part)' is not a share above 0 and up to 1")
    }
    return share
  }
}

private func parts<Value: Equatable>(
  of text: String, _ value: (Substring) throws -> Value
) throws -> [Value] {
  let parts = text.split(separator: ",")
  guard !parts.isEmpty else { throw ValidationError("the list is empty") }
  let values = try parts.map(value)
  try requireDistinct(values)
  return values
}

/// Refuses a list with a value twice, which would be measured or trained twice.
func requireDistinct<Value: Equatable>(_ values: [Value]) throws {
  for (index, value) in values.enumerated() where values[..<index].contains(value) {
    throw ValidationError("\(value) is in the list twice: leave one out")
  }
}
