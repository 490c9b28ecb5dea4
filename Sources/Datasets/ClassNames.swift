import Foundation
import Support

/// The class names in a file, a line each.
func classNames(in path: String) throws(DatasetError) -> [String] {
  var bytes: [UInt8] = []
  try onFiles(readFile(path, into: &bytes))
  let names = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
    .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
  guard !names.isEmpty, Set(names).count == names.count else {
    throw .damaged(
      path: path, offset: 0,
      reason: names.isEmpty ? "there are no class names" : "a class comes twice")
  }
  return names
}
