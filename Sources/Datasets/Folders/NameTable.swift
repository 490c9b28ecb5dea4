import Support

/// Many short strings in one buffer: about a third of the memory of `[String]` for the 1.28 million
/// file names of ImageNet.
struct NameTable: Sendable, Equatable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  var count: Int { ends.count }

  mutating func append(_ name: String) {
    append(utf8: name.utf8)
  }

  mutating func append(utf8 name: some Sequence<UInt8>) {
    bytes.append(contentsOf: name)
    ends.append(bytes.count)
  }

  subscript(index: Int) -> String {
    String(decoding: utf8(index), as: UTF8.self)
  }

  func utf8(_ index: Int) -> ArraySlice<UInt8> {
    bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
  }

  /// Of all names.
  var hash: UInt64 {
    var hash = XXHash64()
    bytes.withUnsafeBytes { hash.update($0) }
    ends.withUnsafeBytes { hash.update($0) }
    return hash.value
  }
}
