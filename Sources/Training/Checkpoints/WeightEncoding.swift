import SafeTensors

/// How the weights of convolutions and linear layers are stored in a file that is handed on. What has one
/// number for each channel, such as biases and running statistics, is float32 in all of them.
public enum WeightEncoding: Sendable {
  case float32, float16
  /// With one scale for each output channel.
  case int8

  /// What weights lose by it, in a word; nil: nothing.
  var rounding: String? {
    switch self {
    case .float32: nil
    case .float16: "float16"
    case .int8: "int8"
    }
  }

  /// The tensors that stand for one of a file.
  ///
  /// - Throws: `SafeTensorsError`; where the numbers are asked for, also if one is too large for the encoding.
  func tensors(_ name: String, of file: any TensorFile) throws -> [SafeTensor] {
    let shape = try file.shape(of: name)
    let isWeight = shape.count > 1 && shape.dropFirst().reduce(1, *) > 1
    switch self {
    case .float16 where isWeight:
      return [.halves(name, shape: shape, try halves(name, of: file))]
    case .int8 where isWeight:
      return QuantizedTensors.tensors(name, shape: shape, try file.floats(name))
    default: return [.floats(name, shape: shape, try file.floats(name))]
    }
  }

  private func halves(_ name: String, of file: any TensorFile) throws -> [Float] {
    let values = try file.floats(name)
    let largest = Float(Float16.greatestFiniteMagnitude)
    guard let value = values.first(where: { $0.magnitude > largest }) else { return values }
    throw CheckpointError(
      path: file.path,
      problem: "holds \(value) in tensor '\(name)', more than float16 has: export it without --half"
    )
  }
}
