import PyTorchFiles
import SafeTensors

/// Opens a file of tensors, whichever it is: of PyTorch's `torch.save`, or safetensors, where int8 weights are
/// multiplied by their scales.
///
/// - Throws: `PyTorchFileError` or `SafeTensorsError` for a damaged file, `FileError` where it cannot be read.
func openTensors(at path: String) throws -> any TensorFile {
  guard try PyTorchFile.isOne(path) else {
    return try QuantizedTensors(SafeTensorsFile(contentsOf: path))
  }
  return try PyTorchFile(contentsOf: path)
}

extension TensorFile {
  /// What stands before `name` in the names that end with it, if it is the same in all names: such as the
  /// `module.` of DataParallel.
  func commonPrefix(before name: String) -> String {
    guard let match = names.first(where: { $0 == name || $0.hasSuffix("." + name) }) else {
      return ""
    }
    let prefix = String(match.dropLast(name.count))
    return names.allSatisfy { $0.hasPrefix(prefix) } ? prefix : ""
  }
}
