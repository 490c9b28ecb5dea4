import Foundation

/// The name nearest to a mistyped one, by the least number of inserted, deleted and replaced
/// characters (Levenshtein distance); the first of equals.
///
/// A right last component in a wrong or missing section (`learning_rate`) counts as one change, and so do
/// the beginning of a name (`conv`, also of another program's `Conv2d`) and one of its words
/// (`training.batch`): these are likelier mistakes than many typing errors.
func nearestName(to name: String, in candidates: [String]) -> String {
  precondition(!candidates.isEmpty)
  func leaf(_ name: String) -> Substring {
    name.split(separator: ".").last ?? ""
  }
  func section(_ name: String) -> Substring {
    name.prefix(name.count - leaf(name).count)
  }
  func distance(_ candidate: String) -> Int {
    let isPart =
      name.count > 2
      && (candidate.hasPrefix(name)
        || section(name) == section(candidate)
          && leaf(candidate).split(separator: "_").contains(leaf(name)))
    let beginsAlike =
      !name.contains(".")
      && name.lowercased().commonPrefix(with: candidate.lowercased()).count >= 4
    return min(
      editDistance(name[...], candidate[...]), editDistance(leaf(name), leaf(candidate)) + 1,
      isPart || beginsAlike ? 1 : .max)
  }
  return candidates.map { ($0, distance($0), editDistance(name[...], $0[...])) }
    .min { ($0.1, $0.2) < ($1.1, $1.2) }!.0
}

private func editDistance(_ a: Substring, _ b: Substring) -> Int {
  let a = Array(a)
  let b = Array(b)
  // row[j] is the distance between the characters of `a` seen so far and the first j of `b`.
  var row = Array(0...b.count)
  for i in 0..<a.count {
    var diagonal = row[0]
    row[0] = i + 1
    for j in 0..<b.count {
      let replaced = diagonal + (a[i] == b[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
    }
  }
  return row[b.count]
}
