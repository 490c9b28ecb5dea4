/// Reads the array of an `.npz` file (a zip of `.npy` files) whose name is `frames`, or `arr_0`.
///
/// - Parameter bytes: scratch memory.
/// - Throws: `DatasetError` where the file cannot be read or holds no such array.
func readFrames(ofArchive path: String, bytes: inout [UInt8]) throws(DatasetError) -> NumpyArray {
  do {
    let reader = try ArchiveReader(path: path, format: .zip)
    while let entry = try reader.nextEntry() {
      guard ["frames.npy", "arr_0.npy"].contains("\(entry.path)") else { continue }
      bytes.removeAll(keepingCapacity: true)
      try reader.appendData(to: &bytes, limit: 1 << 30)
      return try NumpyArray(bytes)
    }
    throw RecordingFailure(reason: "the archive has neither an array 'frames' nor 'arr_0'")
  } catch DatasetError.unreadableArchive(_, let reason) {
    throw .malformed(sample: path, reason: "as a zip archive: \(reason)")
  } catch let failure as RecordingFailure {
    throw .malformed(sample: path, reason: failure.reason)
  } catch let error as DatasetError {
    throw error
  } catch {
    throw .unreadable(path: path, reason: "\(error)")
  }
}

/// An array in the `.npy` format of NumPy: where its numbers are, and of which kind.
struct NumpyArray {
  enum ElementType: String {
    case bool = "b1"
    case uint8 = "u1"
    case uint16 = "u2"
    case uint32 = "u4"
    case uint64 = "u8"
    case int8 = "i1"
    case int16 = "i2"
    case int32 = "i4"
    case int64 = "i8"
    case float16 = "f2"
    case float32 = "f4"
    case float64 = "f8"

    var size: Int { Int(rawValue.dropFirst())! }
  }

  /// How the numbers lie in the file, and what they are.
  struct Layout {
    var type = ElementType.uint8
    var isBigEndian = false
    /// Whether the first axis varies fastest (Fortran's order), and not the last (C's).
    var isColumnMajor = false
    var shape: [Int] = []
  }

  let layout: Layout
  var shape: [Int] { layout.shape }
  /// Where the numbers begin; they fill the rest of the file.
  let dataOffset: Int

  init(_ bytes: [UInt8]) throws(RecordingFailure) {
    guard bytes.count >= 12, bytes.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw RecordingFailure(atByte: 0, "the array does not begin as NumPy's do")
    }
    let version = bytes[6]
    guard (1...3).contains(version), bytes[7] == 0 else {
      throw RecordingFailure(atByte: 6, "the array is of an unknown version")
    }
    let start = version == 1 ? 10 : 12
    let length = Int(version == 1 ? bytes.littleEndian(at: 8) & 0xFFFF : bytes.littleEndian(at: 8))
    guard length <= bytes.count - start else {
      throw RecordingFailure(atByte: 8, "the header of \(length) bytes exceeds the array")
    }
    dataOffset = start + length
    var header = HeaderParser(bytes[start..<dataOffset])
    layout = try header.parse()
    var size = layout.type.size
    for extent in layout.shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else {
        throw RecordingFailure(atByte: start, "the shape \(layout.shape) is too large")
      }
      size = product
    }
    guard bytes.count - dataOffset == size else {
      throw RecordingFailure(
        atByte: dataOffset,
        "an array \(layout.shape) of \(layout.type.rawValue) has \(size) bytes, but"
          + " \(bytes.count - dataOffset) follow")
    }
  }

  /// Calls `body` with every number, and its index in an array whose last axis varies fastest.
  func forEach(in bytes: [UInt8], _ body: (_ index: Int, _ value: Float) -> Void) {
    func visit<Stored: FixedWidthInteger>(_: Stored.Type, _ float: (Stored) -> Float) {
      bytes.withUnsafeBytes { raw in
        let count = (raw.count - dataOffset) / MemoryLayout<Stored>.size
        for position in 0..<count {
          let offset = dataOffset + position * MemoryLayout<Stored>.size
          let stored = raw.loadUnaligned(fromByteOffset: offset, as: Stored.self)
          body(
            layout.isColumnMajor ? rowMajorIndex(ofColumnMajor: position) : position,
            float(layout.isBigEndian ? Stored(bigEndian: stored) : Stored(littleEndian: stored)))
        }
      }
    }
    switch layout.type {
    case .bool, .uint8: visit(UInt8.self) { Float($0) }
    case .uint16: visit(UInt16.self) { Float($0) }
    case .uint32: visit(UInt32.self) { Float($0) }
    case .uint64: visit(UInt64.self) { Float($0) }
    case .int8: visit(Int8.self) { Float($0) }
    case .int16: visit(Int16.self) { Float($0) }
    case .int32: visit(Int32.self) { Float($0) }
    case .int64: visit(Int64.self) { Float($0) }
    case .float16: visit(UInt16.self) { Float(Float16(bitPattern: $0)) }
    case .float32: visit(UInt32.self) { Float(bitPattern: $0) }
    case .float64: visit(UInt64.self) { Float(Double(bitPattern: $0)) }
    }
  }

  private func rowMajorIndex(ofColumnMajor position: Int) -> Int {
    var (rest, index, stride) = (position, 0, shape.reduce(1, *))
    for extent in shape {
      stride /= extent
      index += rest % extent * stride
      rest /= extent
    }
    return index
  }
}

/// Parses the header of an `.npy` file, the text of a Python dictionary with exactly the keys
/// `descr`, `fortran_order` and `shape`.
private struct HeaderParser {
  private let text: ArraySlice<UInt8>
  private var position: Int

  init(_ text: ArraySlice<UInt8>) {
    self.text = text
    position = text.startIndex
  }

  mutating func parse() throws(RecordingFailure) -> NumpyArray.Layout {
    var layout = NumpyArray.Layout()
    var missing: Set = ["descr", "fortran_order", "shape"]
    try expect("{")
    while !take("}") {
      let entry = try string()
      guard missing.remove(entry) != nil else {
        throw failure(
          "the header has another entry than one each of descr, fortran_order and shape")
      }
      try expect(":")
      switch entry {
      case "descr":
        let text = try string()
        guard let type = NumpyArray.ElementType(rawValue: String(text.dropFirst())),
          let order = text.first, "<>|".contains(order)
        else { throw failure("the element type '\(text)' is not supported") }
        (layout.type, layout.isBigEndian) = (type, order == ">")
      case "fortran_order":
        layout.isColumnMajor = take("True")
        guard layout.isColumnMajor || take("False") else {
          throw failure("True or False is expected")
        }
      default:
        layout.shape = try tuple()
      }
      guard take(",") else {
        try expect("}")
        break
      }
    }
    skipSpaces()
    guard position == text.endIndex, missing.isEmpty else {
      throw failure("the header is not complete")
    }
    return layout
  }

  private mutating func tuple() throws(RecordingFailure) -> [Int] {
    var extents: [Int] = []
    try expect("(")
    while !take(")") {
      skipSpaces()
      let digits = text[position...].prefix { (0x30...0x39).contains($0) }
      guard let extent = Int(String(decoding: digits, as: UTF8.self)), extents.count < 32 else {
        throw failure("a number is expected")
      }
      extents.append(extent)
      position = digits.endIndex
      guard take(",") else {
        try expect(")")
        break
      }
    }
    return extents
  }

  private mutating func string() throws(RecordingFailure) -> String {
    try expect("'")
    let content = text[position...].prefix { $0 != UInt8(ascii: "'") }
    position = content.endIndex
    try expect("'")
    return String(decoding: content, as: UTF8.self)
  }

  private mutating func expect(_ token: String) throws(RecordingFailure) {
    guard take(token) else { throw failure("\(token) is expected") }
  }

  private mutating func take(_ token: String) -> Bool {
    skipSpaces()
    guard text[position...].starts(with: token.utf8) else { return false }
    position += token.utf8.count
    return true
  }

  private mutating func skipSpaces() {
    while position < text.endIndex, [0x20, 0x0A].contains(text[position]) { position += 1 }
  }

  private func failure(_ reason: String) -> RecordingFailure {
    RecordingFailure(atByte: position, "of the array " + reason)
  }
}
