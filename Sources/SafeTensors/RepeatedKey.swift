import Foundation

/// A key that some object of a JSON text has twice, or `nil`. Decoders take one of the values and drop
/// the other without a word.
///
/// Keys that differ only in how Unicode composes their characters count as the same, as they do in
/// Swift's dictionaries.
///
/// - Parameter json: valid JSON in UTF-8.
/// - Throws: what the decoder does, for a key that is no text.
func repeatedKey(in json: Data) throws -> String? {
  /// What is open around a position: an object with the keys so far, or an array.
  enum Container {
    case object(Set<String>)
    case array
  }
  var containers: [Container] = []
  var isKeyNext = false
  var position = json.startIndex
  while position < json.endIndex {
    let start = position
    position += 1
    switch json[start] {
    case UInt8(ascii: "{"):
      containers.append(.object([]))
      isKeyNext = true
    case UInt8(ascii: "["):
      containers.append(.array)
      isKeyNext = false
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      containers.removeLast()
    case UInt8(ascii: ","):
      isKeyNext = if case .object? = containers.last { true } else { false }
    case UInt8(ascii: "\""):
      while json[position] != UInt8(ascii: "\"") {
        position += json[position] == UInt8(ascii: "\\") ? 2 : 1
      }
      position += 1
      guard isKeyNext, case .object(var keys)? = containers.popLast() else { continue }
      isKeyNext = false
      let key = try JSONDecoder().decode(String.self, from: json[start..<position])
      guard keys.insert(key).inserted else { return key }
      containers.append(.object(keys))
    default:
      continue
    }
  }
  return nil
}
