import ArgumentParser

/// The named choices in a list with commas, such as `sltt,bptt`.
func choices<Choice: CaseIterable & RawRepresentable<String>>(_ text: String) throws -> [Choice] {
  try parts(of: text).map { part in
    guard let choice = Choice(rawValue: String(part)) else {
      let all = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("'\(part)' is not one of \(all)")
    }
    return choice
  }
}

/// The positive numbers in a list with commas, such as `1,2,4`.
///
/// - Parameter unit: what they count, for the message.
func counts(_ text: String, of unit: String, upTo limit: Int) throws -> [Int] {
  try parts(of: text).map { part in
    guard let count = Int(part), (1...limit).contains(count) else {
      throw ValidationError("'\(part)' is not a number of \(unit)")
    }
    return count
  }
}

/// The shares, above 0 and up to 1, in a list with commas, such as `0.05,0.25`.
func shares(_ text: String) throws -> [Double] {
  try parts(of: text).map { part in
    guard let share = Double(part), share > 0, share <= 1 else {
      throw ValidationError("'\(part)' is not a share above 0 and up to 1")
    }
    return share
  }
}

private func parts(of text: String) throws -> [Substring] {
  let parts = text.split(separator: ",")
  guard !parts.isEmpty else { throw ValidationError("the list is empty") }
  return parts
}
