/// The JSON header of a safetensors file: `{"__metadata__": {…}, "NAME": {…}, …}`.
struct Header: Codable {
  /// One tensor's entry.
  struct Entry: Codable {
    var dtype: String
    var shape: [Int]
    /// First byte and byte after the last, counted from the end of the header.
    var offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }
  }

  var metadata: [String: String]
  var tensors: [String: Entry]

  /// The largest header that the Python package accepts, in bytes.
  static let maximumByteCount = 100_000_000

  init(metadata: [String: String], tensors: [String: Entry]) {
    self.metadata = metadata
    self.tensors = tensors
  }

  private struct Key: CodingKey {
    static let metadata = Key(stringValue: "__metadata__")
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) {
      self.stringValue = stringValue
    }

    init?(intValue: Int) {
      nil
    }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    metadata = try container.decodeIfPresent([String: String].self, forKey: .metadata) ?? [:]
    tensors = [:]
    for key in container.allKeys where key.stringValue != Key.metadata.stringValue {
      tensors[key.stringValue] = try container.decode(Entry.self, forKey: key)
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    if !metadata.isEmpty {
      try container.encode(metadata, forKey: .metadata)
    }
    for (name, entry) in tensors {
      try container.encode(entry, forKey: Key(stringValue: name))
    }
  }
}

/// Number of elements of a tensor of this shape (1 for a scalar, `[]`); nil for a negative
/// dimension or where the product overflows, also that of the other dimensions where one is 0.
func elementCount(of shape: [Int]) -> Int? {
  var count = 1
  for dimension in shape {
    let (product, overflow) = count.multipliedReportingOverflow(by: max(dimension, 1))
    guard dimension >= 0, !overflow else { return nil }
    count = product
  }
  return shape.contains(0) ? 0 : count
}
