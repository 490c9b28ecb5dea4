/// Named tensors in a file of some format.
public protocol TensorFile: Sendable {
  /// The file's path, as it was given.
  var path: String { get }
  /// Of the tensors.
  var names: [String] { get }

  /// The shape of a tensor; `[]` for a scalar.
  func shape(of name: String) throws -> [Int]

  /// The elements of a floating-point tensor, row-major, rounded to `Float`.
  func floats(_ name: String) throws -> [Float]
}

extension TensorFile {
  /// The elements of a floating-point tensor, which must have the given shape.
  public func floats(_ name: String, shape: [Int]) throws -> [Float] {
    try require(name, shape)
    return try floats(name)
  }

  /// - Parameter minimum: the least value that an element may have.
  /// - Throws: what `floats(_:shape:)` would; also if an element is not finite as a `Float`, or less.
  public func checkFinite(_ name: String, shape: [Int], atLeast minimum: Float? = nil) throws {
    let values = try floats(name, shape: shape)
    let wrong = values.firstIndex { value in
      !value.isFinite || minimum.map { value < $0 } == true
    }
    guard let wrong else { return }
    throw SafeTensorsError(
      path, tensor: name,
      .wrongElement(
        values[wrong], number: wrong,
        expected: "finite numbers" + (minimum.map { " of at least \($0)" } ?? "")))
  }

  func require(_ name: String, _ shape: [Int]) throws {
    let found = try self.shape(of: name)
    guard found == shape else {
      throw SafeTensorsError(path, tensor: name, .wrongShape(found, expected: shape))
    }
  }
}
