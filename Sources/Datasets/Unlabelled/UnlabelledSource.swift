import Support

/// Samples without labels, which people name one after another.
public protocol UnlabelledSource: SampleSource {
  /// Adds what is at a path: a file, or all files of a directory and of those below it.
  ///
  /// - Throws: `DatasetError` where there is nothing to add; all is then as before.
  mutating func add(_ path: RawPath) throws(DatasetError)
}

extension UnlabelledSource {
  public var location: String { "the inputs" }
  public var classes: [String] { [] }
}
