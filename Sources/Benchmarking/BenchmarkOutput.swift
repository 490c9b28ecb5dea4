import Foundation
import Support

/// The directory that a benchmark writes its figures to.
public struct BenchmarkOutput {
  private let directory: String

  /// Makes the directory if it is not there.
  ///
  /// - Throws: `FileError`.
  public init(directory: String) throws(FileError) {
    self.directory = directory
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
    } catch {
      throw .unwritable(path: directory, reason: systemReason(of: error))
    }
  }

  /// Writes a text file.
  public func write(_ text: String, to name: String) throws(FileError) {
    try writeFile(directory + "/" + name, text.utf8)
  }
}

/// The middle value, or the mean of the two.
func median(_ values: [Double]) -> Double {
  precondition(!values.isEmpty, "no values have no median")
  let sorted = values.sorted()
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
