import Foundation

/// The directory that a benchmark writes its figures to.
public struct BenchmarkOutput {
  private let directory: String

  public init(directory: String) { self.directory = directory }

  /// Writes a text file, and the directory if it is not there.
  public func write(_ text: String, to name: String) throws {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true)
    try text.write(toFile: directory + "/" + name, atomically: true, encoding: .utf8)
  }
}

/// The middle value, or the mean of the two.
func median(_ values: [Double]) -> Double {
  precondition(!values.isEmpty, "no values have no median")
  let sorted = values.sorted()
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
