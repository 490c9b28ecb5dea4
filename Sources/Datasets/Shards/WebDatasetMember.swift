import Support

/// The name of a file in a shard, as WebDataset reads it: members of one key, one after another, are a
/// sample, and the ending says what of it a member is.
struct WebDatasetMember: Equatable {
  /// The path up to the first point of the file's name.
  let key: String
  /// What follows that point, in lower case.
  let ending: String

  /// - Returns: `nil` if the file's name has no point, or begins with one.
  init?(_ path: RawPath) {
    let text = "\(path)"
    let start = text.lastIndex(of: "/").map { text.index(after: $0) } ?? text.startIndex
    guard let point = text[start...].firstIndex(of: "."), point > start else { return nil }
    key = String(text[..<point])
    ending = text[text.index(after: point)...].lowercased()
  }

  var isImage: Bool { ["jpg", "jpeg", "png"].contains(ending) }
}
