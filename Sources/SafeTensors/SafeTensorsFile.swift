import Foundation
import Support

/// A safetensors file, opened for reading: memory-mapped, its header checked in full.
///
/// Layout: header length (8 bytes, little-endian), header (JSON), then the tensors' elements,
/// little-endian and row-major, without gaps.
public struct SafeTensorsFile: TensorFile {
  struct Tensor {
    let type: ElementType
    let shape: [Int]
    /// Where its elements are in the file.
    let bytes: Range<Int>
  }

  /// The path given to the initializer.
  public let path: String
  /// The free-form text entries of the header.
  public let metadata: [String: String]
  /// Names of the tensors in the order of their data in the file.
  public let names: [String]

  let mapping: MappedFile
  private let tensors: [String: Tensor]

  /// - Throws: `FileError` if the file cannot be read, `SafeTensorsError` if it is not safetensors,
  ///   damaged, truncated, or followed by other bytes.
  public init(contentsOf path: String) throws {
    self.path = path
    mapping = try MappedFile(path: path)
    let (header, dataStart) = try Self.readHeader(mapping, path: path)
    metadata = header.metadata

    var position = dataStart
    var names: [String] = []
    var tensors: [String: Tensor] = [:]
    let entries = try header.tensors.map { name, entry in
      (name, try Self.check(name, entry, dataStart: dataStart, path: path))
    }
    let byPosition = entries.sorted {
      ($0.1.bytes.lowerBound, $0.1.bytes.upperBound, $0.0)
        < ($1.1.bytes.lowerBound, $1.1.bytes.upperBound, $1.0)
    }
    for (name, tensor) in byPosition {
      guard tensor.bytes.lowerBound == position else {
        let relation = tensor.bytes.lowerBound < position ? "overlaps" : "leaves a gap after"
        throw SafeTensorsError(
          path, tensor: name,
          .malformed("\(relation) \(names.last.map { "tensor '\($0)'" } ?? "the header")"))
      }
      guard tensor.bytes.upperBound <= mapping.count else {
        throw SafeTensorsError(
          path, tensor: name,
          .malformed(
            "ends at byte \(tensor.bytes.upperBound), but the file has only \(mapping.count):"
              + " truncated"))
      }
      position = tensor.bytes.upperBound
      names.append(name)
      tensors[name] = tensor
    }
    guard position == mapping.count else {
      throw SafeTensorsError(
        path, .malformed("\(mapping.count - position) bytes follow the last tensor"))
    }
    self.names = names
    self.tensors = tensors
  }

  /// The shape of a tensor; `[]` for a scalar.
  public func shape(of name: String) throws -> [Int] {
    try tensor(name).shape
  }

  /// The type of a tensor's elements in the file.
  public func elementType(of name: String) throws -> ElementType {
    try tensor(name).type
  }

  func tensor(_ name: String) throws -> Tensor {
    guard let tensor = tensors[name] else {
      throw SafeTensorsError(path, tensor: name, .missingTensor(available: names))
    }
    return tensor
  }

  private static func readHeader(
    _ mapping: MappedFile, path: String
  ) throws -> (Header, dataStart: Int) {
    guard mapping.count >= 8 else {
      throw SafeTensorsError(path, .malformed("it has only \(mapping.count) bytes"))
    }
    let length = mapping.withBytes(0..<8) {
      UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
    }
    guard length <= Header.maximumByteCount else {
      throw SafeTensorsError(path, .malformed("it claims a header of \(length) bytes"))
    }
    let end = 8 + Int(length)
    guard end <= mapping.count else {
      throw SafeTensorsError(
        path,
        .malformed("the header ends at byte \(end), but the file has only \(mapping.count)"))
    }
    let json = mapping.withBytes(8..<end) { Data($0) }
    // The decoder would also take UTF-16 and UTF-32, where every character of JSON has a zero.
    guard !json.contains(0) else {
      throw SafeTensorsError(path, .malformed("header: it is not UTF-8 text"))
    }
    do {
      let header = try JSONDecoder().decode(Header.self, from: json)
      guard let key = try repeatedKey(in: json) else { return (header, end) }
      throw SafeTensorsError(path, .malformed("header: the key '\(key)' comes twice"))
    } catch let error as DecodingError {
      throw SafeTensorsError(path, .malformed("header: \(text(of: error))"))
    }
  }

  private static func check(
    _ name: String, _ entry: Header.Entry, dataStart: Int, path: String
  ) throws -> Tensor {
    func malformed(_ what: String) -> SafeTensorsError {
      SafeTensorsError(path, tensor: name, .malformed(what))
    }
    guard let type = ElementType(rawValue: entry.dtype) else {
      throw malformed("has the unknown element type '\(entry.dtype)'")
    }
    guard entry.offsets.count == 2, entry.offsets[0] >= 0, entry.offsets[0] <= entry.offsets[1],
      entry.offsets[1] <= Int.max - dataStart
    else {
      throw malformed("has impossible data offsets \(entry.offsets)")
    }
    guard let count = elementCount(of: entry.shape), count <= Int.max / type.byteCount else {
      throw malformed("has impossible shape \(entry.shape)")
    }
    let size = entry.offsets[1] - entry.offsets[0]
    guard count * type.byteCount == size else {
      throw malformed(
        "has shape \(entry.shape) of \(entry.dtype), \(count * type.byteCount) bytes,"
          + " but \(size) bytes of data")
    }
    let bytes = dataStart + entry.offsets[0]..<dataStart + entry.offsets[1]
    return Tensor(type: type, shape: entry.shape, bytes: bytes)
  }

  private static func text(of error: DecodingError) -> String {
    let context: DecodingError.Context
    switch error {
    case .typeMismatch(_, let c), .valueNotFound(_, let c), .keyNotFound(_, let c),
      .dataCorrupted(let c):
      context = c
    @unknown default:
      return "\(error)"
    }
    let place = context.codingPath.map(\.stringValue).joined(separator: ".")
    return place.isEmpty ? context.debugDescription : "'\(place)': \(context.debugDescription)"
  }
}
