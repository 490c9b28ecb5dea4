import Foundation
import Support

/// A tensor to be written. Its elements are asked for only when their turn comes, so that writing a
/// file needs memory for one tensor at a time.
public struct SafeTensor {
  let name: String
  let type: ElementType
  let shape: [Int]
  let withElements: (_ write: (UnsafeRawBufferPointer) throws -> Void) throws -> Void

  /// A float32 tensor; `values` row-major, as many as `shape` says.
  public static func floats(
    _ name: String, shape: [Int], _ values: @escaping @autoclosure () throws -> [Float]
  ) -> SafeTensor {
    SafeTensor(name: name, type: .float32, shape: shape) { write in
      try values().withUnsafeBytes(write)
    }
  }

  /// A float16 tensor; `values` row-major, as many as `shape` says, rounded.
  public static func halves(
    _ name: String, shape: [Int], _ values: @escaping @autoclosure () throws -> [Float]
  ) -> SafeTensor {
    SafeTensor(name: name, type: .float16, shape: shape) { write in
      try values().map { halfBits($0).littleEndian }.withUnsafeBytes(write)
    }
  }

  /// An int8 tensor; `values` row-major, as many as `shape` says.
  static func signedBytes(_ name: String, shape: [Int], _ values: [Int8]) -> SafeTensor {
    SafeTensor(name: name, type: .int8, shape: shape) { write in
      try values.withUnsafeBytes(write)
    }
  }

  /// An int64 tensor; `values` row-major, as many as `shape` says.
  public static func integers(
    _ name: String, shape: [Int], _ values: @escaping @autoclosure () throws -> [Int]
  ) -> SafeTensor {
    SafeTensor(name: name, type: .int64, shape: shape) { write in
      try values().map { Int64($0).littleEndian }.withUnsafeBytes(write)
    }
  }

  var byteCount: Int {
    guard let count = elementCount(of: shape) else {
      preconditionFailure("tensor '\(name)' has impossible shape \(shape)")
    }
    return count * type.byteCount
  }
}

/// Writes safetensors files, each completely or not at all.
public enum SafeTensorsWriter {
  /// Writes the tensors to a temporary file beside `path`, syncs it to disk and renames it, so that
  /// `path` never names a half-written file. The same tensors and metadata give the same bytes.
  ///
  /// - Parameters:
  ///   - tensors: in the order wanted in the file; those of larger elements come first, which aligns all.
  ///   - metadata: free-form text for the header.
  ///   - mustBeFinite: whether float32 numbers that are not are an error.
  ///   - progress: is called after each tensor.
  /// - Throws: `FileError`, `SafeTensorsError`, or what a tensor's values throw; the temporary file is gone
  ///   then, and a file that was at `path` is as before.
  public static func write(
    _ tensors: [SafeTensor], metadata: [String: String] = [:], to path: String,
    mustBeFinite: Bool = false, progress: () -> Void = {}
  ) throws {
    let tensors = [8, 4, 2, 1].flatMap { size in tensors.filter { $0.type.byteCount == size } }
    let header = try encodedHeader(tensors, metadata: metadata)
    let file = try PartialFile(path: path)
    try header.withUnsafeBytes(file.append)
    for tensor in tensors {
      try tensor.withElements { bytes in
        precondition(
          bytes.count == tensor.byteCount,
          "tensor '\(tensor.name)' of shape \(tensor.shape) was given \(bytes.count) bytes")
        if mustBeFinite && tensor.type == .float32 {
          try requireFinite(bytes.bindMemory(to: Float.self), tensor.name, path)
        }
        try file.append(bytes)
      }
      progress()
    }
    try file.finish(progress: progress)
    try syncDirectory(URL(fileURLWithPath: path).deletingLastPathComponent().path)
  }

  private static func requireFinite(
    _ values: UnsafeBufferPointer<Float>, _ name: String, _ path: String
  ) throws {
    guard let number = values.firstIndex(where: { !$0.isFinite }) else { return }
    throw SafeTensorsError(
      path, tensor: name,
      .wrongElement(values[number], number: number, expected: "finite numbers"))
  }

  /// Length and JSON; padded with spaces to whole 8 bytes, so that the data are aligned.
  private static func encodedHeader(
    _ tensors: [SafeTensor], metadata: [String: String]
  ) throws -> Data {
    var header = Header(metadata: metadata, tensors: [:])
    var position = 0
    for tensor in tensors {
      let end = position + tensor.byteCount
      let entry = Header.Entry(
        dtype: tensor.type.rawValue, shape: tensor.shape, offsets: [position, end])
      let previous = header.tensors.updateValue(entry, forKey: tensor.name)
      precondition(previous == nil, "two tensors named '\(tensor.name)'")
      position = end
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var json = try encoder.encode(header)
    json.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - json.count % 8) % 8))
    return withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) } + json
  }
}
