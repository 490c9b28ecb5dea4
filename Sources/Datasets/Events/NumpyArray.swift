/// Reads the array of an `.npz` file (a zip of `.npy` files) whose name is `frames`, or `arr_0`.
///
/// - Parameters:
///   - bytes: scratch memory.
///   - name: of the sample, for errors.
/// - Throws: `DatasetError` where the file cannot be read or holds no such array.
func readFrames(ofArchive path: String, bytes: inout [UInt8]) throws(DatasetError) -> NumpyArray {
  do {
    let reader = try ArchiveReader(path: path, format: .zip)
    while let entry = try reader.nextEntry() {
      guard ["frames.npy", "arr_0.npy"].contains(entry.path) else { continue }
      bytes.removeAll(keepingCapacity: true)
      try reader.appendData(to: &bytes, limit: 1 << 30)
      return try NumpyArray(bytes)
    }
    throw RecordingFailure(reason: "the archive has neither an array 'frames' nor 'arr_0'")
  } catch DatasetError.unreadableArchive(_, let reason) {
    throw .malformed(sample: path, reason: "as a zip archive: \(reason)")
  } catch let failure as RecordingFailure {
    throw .malformed(sample: path, reason: failure.reason)
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
    case float32 = "f4"
    case float64 = "f8"

    var size: Int { Int(rawValue.dropFirst())! }
  }

  let shape: [Int]
  let type: ElementType
  /// Where the numbers begin; they are little-endian and fill the rest of the file.
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
    (type, shape) = try header.parse()
    var size = type.size
    for extent in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: extent)
      guard !overflow else {
        throw RecordingFailure(atByte: start, "the shape \(shape) is too large")
      }
      size = product
    }
    guard bytes.count - dataOffset == size else {
      throw RecordingFailure(
        atByte: dataOffset,
        "an array \(shape) of \(type.rawValue) has \(size) bytes, but \(bytes.count - dataOffset)"
          + " follow")
    }
  }

  /// Calls `body` with every number in order, and its index.
  func forEach(in bytes: [UInt8], _ body: (_ index: Int, _ value: Float) -> Void) {
    func visit<Stored>(_: Stored.Type, _ float: (Stored) -> Float) {
      bytes.withUnsafeBytes { raw in
        let count = (raw.count - dataOffset) / MemoryLayout<Stored>.size
        for index in 0..<count {
          let offset = dataOffset + index * MemoryLayout<Stored>.size
          body(index, float(raw.loadUnaligned(fromByteOffset: offset, as: Stored.self)))
        }
      }
    }
    func visitIntegers<Stored: FixedWidthInteger>(_ type: Stored.Type) {
      visit(type) { Float(Stored(littleEndian: $0)) }
    }
    switch type {
    case .bool, .uint8: visitIntegers(UInt8.self)
    case .uint16: visitIntegers(UInt16.self)
    case .uint32: visitIntegers(UInt32.self)
    case .uint64: visitIntegers(UInt64.self)
    case .int8: visitIntegers(Int8.self)
    case .int16: visitIntegers(Int16.self)
    case .int32: visitIntegers(Int32.self)
    case .int64: visitIntegers(Int64.self)
    case .float32: visit(UInt32.self) { Float(bitPattern: UInt32(littleEndian: $0)) }
    case .float64: visit(UInt64.self) { Float(Double(bitPattern: UInt64(littleEndian: $0))) }
    }
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

  mutating func parse() throws(RecordingFailure) -> (NumpyArray.ElementType, [Int]) {
    var type: NumpyArray.ElementType?
    var shape: [Int]?
    var isRowMajor = false
    try expect("{")
    while !take("}") {
      switch try string() {
      case "descr" where type == nil:
        try expect(":")
        let text = try string()
        let isNative = ["<", "|"].contains(text.prefix(1))
        guard isNative, let element = NumpyArray.ElementType(rawValue: String(text.dropFirst()))
        else { throw failure("the element type '\(text)' is not supported") }
        type = element
      case "fortran_order" where !isRowMajor:
        try expect(":")
        guard take("False") else { throw failure("the array is not in C order") }
        isRowMajor = true
      case "shape" where shape == nil:
        try expect(":")
        shape = try tuple()
      default:
        throw failure("the header has another entry than descr, fortran_order and shape")
      }
      guard take(",") else {
        try expect("}")
        break
      }
    }
    skipSpaces()
    guard position == text.endIndex, let type, let shape, isRowMajor else {
      throw failure("the header is not complete")
    }
    return (type, shape)
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
