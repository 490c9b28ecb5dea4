/// Weights rounded to int8, with one scale for each output channel: `NAME` holds numbers from -127 to 127 in
/// the weight's own shape, `NAME.scale` a float32 for each entry of its first dimension, and the weight is the
/// product of both.
public struct QuantizedTensors: TensorFile {
  private static let largest: Float = 127
  private static let ending = ".scale"

  private let file: SafeTensorsFile
  /// Without scales.
  public let names: [String]

  /// - Parameter file: its other tensors are as in the file.
  public init(_ file: SafeTensorsFile) throws {
    self.file = file
    let quantized = try file.names.filter { try file.elementType(of: $0) == .int8 }
    let scales = Set(quantized.map { $0 + Self.ending })
    for name in quantized {
      let shape = try file.shape(of: name)
      try file.checkFinite(name + Self.ending, shape: Array(shape.prefix(1)), atLeast: 0)
    }
    names = file.names.filter { !scales.contains($0) }
  }

  public var path: String { file.path }

  public func shape(of name: String) throws -> [Int] { try file.shape(of: name) }

  public func floats(_ name: String) throws -> [Float] {
    guard try file.elementType(of: name) == .int8 else { return try file.floats(name) }
    let scales = try file.floats(name + Self.ending)
    let numbers = try file.integers(name)
    let count = numbers.count / max(1, scales.count)
    return numbers.indices.map { Float(numbers[$0]) * scales[$0 / count] }
  }

  /// The tensors that stand for a weight.
  ///
  /// - Parameters:
  ///   - shape: its first dimension is that of output channels.
  ///   - values: row-major, finite.
  public static func tensors(_ name: String, shape: [Int], _ values: [Float]) -> [SafeTensor] {
    let count = values.count / max(1, shape[0])
    let scales = (0..<shape[0]).map { channel in
      values[channel * count..<(channel + 1) * count].reduce(0) { max($0, $1.magnitude) } / largest
    }
    let numbers = values.indices.map { index -> Int8 in
      let scale = scales[index / count]
      guard scale > 0 else { return 0 }
      return Int8(max(-largest, min(largest, (values[index] / scale).rounded())))
    }
    return [
      .signedBytes(name, shape: shape, numbers),
      .floats(name + ending, shape: [shape[0]], scales),
    ]
  }
}
