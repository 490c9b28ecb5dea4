import Foundation

extension JSONEncoder {
  /// Everything on one line, with keys in order.
  public static var oneLine: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}

/// A value of numbers and texts as JSON on one line, with its keys in order.
public func json(_ value: some Encodable) -> Data {
  guard let data = try? JSONEncoder.oneLine.encode(value) else {
    preconditionFailure("numbers and texts can always be encoded")
  }
  return data
}
