import Foundation

/// Something wrong with a safetensors file, or with a tensor of any file: which file, which tensor, and what.
public struct SafeTensorsError: Error, Equatable, CustomStringConvertible {
  public enum Problem: Equatable, Sendable {
    /// The file is not safetensors, damaged or truncated.
    case malformed(String)
    /// The file lacks the tensor; it has these.
    case missingTensor(available: [String])
    /// The tensor's elements cannot be read as the caller wants.
    case wrongElementType(String, wanted: String)
    /// The tensor has another shape than the caller needs.
    case wrongShape([Int], expected: [Int])
    /// An element of the tensor, by its number in row-major order, is not what the caller needs.
    case wrongElement(Float, number: Int, expected: String)
  }

  /// Path of the file.
  public let file: String
  /// The tensor concerned, if it is about one.
  public let tensor: String?
  public let problem: Problem

  init(_ file: String, tensor: String? = nil, _ problem: Problem) {
    self.file = file
    self.tensor = tensor
    self.problem = problem
  }

  public var description: String {
    switch problem {
    case .malformed(let what):
      "\(file): not a valid safetensors file: \(tensor.map { "tensor '\($0)' " } ?? "")\(what)"
    case .missingTensor(let available):
      "\(file): no tensor '\(tensor ?? "")'; it has \(Self.summary(available))"
    case .wrongElementType(let found, let wanted):
      "\(file): tensor '\(tensor ?? "")' holds \(found), which cannot be read as \(wanted)"
    case .wrongShape(let found, let expected):
      "\(file): tensor '\(tensor ?? "")' has shape \(found), expected \(expected)"
    case .wrongElement(let found, let number, let expected):
      "\(file): tensor '\(tensor ?? "")' holds \(found) (element \(number) from 0), expected \(expected)"
    }
  }

  private static func summary(_ names: [String]) -> String {
    guard !names.isEmpty else { return "none" }
    let shown = names.prefix(8).map { "'\($0)'" }.joined(separator: ", ")
    return names.count > 8 ? "\(names.count): \(shown), …" : shown
  }
}

extension SafeTensorsError: LocalizedError {
  public var errorDescription: String? { description }
}
