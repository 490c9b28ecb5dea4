import Foundation

/// A file that `torch.save` did not make, or that holds more than tensors.
public struct PyTorchFileError: Error, Equatable, CustomStringConvertible {
  /// The file's path.
  public let path: String
  /// Follows the path.
  public let problem: String

  public var description: String { "\(path): \(problem)" }
}

extension PyTorchFileError: LocalizedError {
  public var errorDescription: String? { description }
}
