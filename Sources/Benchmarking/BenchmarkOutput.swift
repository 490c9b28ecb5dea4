import Foundation
import Support

/// The directory that a benchmark writes its figures to.
public struct BenchmarkOutput {
  private let directory: String

  /// Makes the directory if it is not there.
  ///
  /// - Parameter kinds: of the files to be written, by name.
  /// - Throws: `FileError`, also where a name is that of a file of another kind.
  public init(directory: String, replacing kinds: [String: ResultKind]) throws(FileError) {
    self.directory = directory
    for (name, kind) in kinds { try kind.requireReplaceable(directory + "/" + name) }
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

extension ResultKind {
  /// A plot of this program.
  public static let plot = ResultKind("plot of this program", beginning: "<svg xmlns=")

  /// What `indentedJSON` makes.
  public static let figures = ResultKind("file of figures of this program", beginning: "{\n  \"")
}
