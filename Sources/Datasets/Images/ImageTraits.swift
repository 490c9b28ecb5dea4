import Support

/// What the images of a data set are like, as far as some of them tell.
public struct ImageTraits: Equatable, Sendable {
  /// The median of the shorter sides, in pixels.
  public let side: Int
  /// Whether all are stored in gray.
  public let isGray: Bool
  public let classes: Int

  public init(side: Int, isGray: Bool, classes: Int) {
    (self.side, self.isGray, self.classes) = (side, isGray, classes)
  }

  /// Looks at images that are evenly spread over a split. Those that cannot be read are passed over.
  ///
  /// - Parameter progress: is called after each image.
  /// - Throws: `DatasetError` about the first one where none can be read.
  public init(
    of source: any ImageSource, progress: () -> Void = {}
  ) throws(DatasetError) {
    let decoder = ImageDecoder()
    let count = min(64, source.count)
    var found: [(side: Int, isGray: Bool)] = []
    var firstFailure: DatasetError?
    var bytes: [UInt8] = []
    for index in (0..<count).map({ $0 * source.count / count }) {
      progress()
      do throws(DatasetError) {
        try source.read(index, into: &bytes)
        do throws(DecodingFailure) {
          found.append(try decoder.traits(of: bytes, encoding: source.encoding))
        } catch {
          throw .undecodable(sample: source.name(of: index), reason: error.reason)
        }
      } catch {
        firstFailure = firstFailure ?? error
      }
    }
    if let firstFailure, found.isEmpty { throw firstFailure }
    self.init(
      side: found.map(\.side).sorted()[found.count / 2], isGray: found.allSatisfy(\.isGray),
      classes: source.classes.count)
  }
}

extension ImageTraits: CustomStringConvertible {
  public var description: String {
    "images in \(isGray ? "gray" : "colour"), \(side) pixels on the shorter side,"
      + " \(Format.counted(classes, "class"))"
  }
}
