import Support

/// What in a data set is no sample, counted by the reason.
public struct PassedOver: Sendable, Equatable, CustomStringConvertible {
  /// Why something is no sample, in a few words that fit after its number.
  struct Reason: Sendable, Hashable {
    let text: String

    static let hidden = Reason(text: "hidden")
    static let outsideClasses = Reason(text: "in no class directory")
    static let brokenLink = Reason(text: "linked to nothing")
    static let circularLink = Reason(text: "linked in a circle")
    static let outsideLink = Reason(text: "linked to outside of the archive")
    /// Of a shard.
    static let noImageOfSample = Reason(text: "with a label and no image that is read")
    static let tooDeep = Reason(text: "more than \(deepestDirectory) directories deep")
    static let special = Reason(text: "neither file nor directory")

    /// By a file's ending.
    static func noImage(_ name: [UInt8]) -> Reason {
      guard let ending = fileNameEnding(name), !ending.isEmpty else {
        return Reason(text: "without an ending")
      }
      let isImage = unreadableImageEndings.contains(ending)
      return Reason(
        text: ".\(ending) (\(isImage ? "not read: convert to JPEG or PNG" : "no image"))")
    }
  }

  private(set) var counts: [Reason: Int] = [:]

  var isEmpty: Bool { counts.isEmpty }
  public var count: Int { counts.values.reduce(0, +) }

  mutating func add(_ reason: Reason, count: Int = 1) {
    counts[reason, default: 0] += count
  }

  mutating func add(_ other: PassedOver) {
    counts.merge(other.counts) { $0 + $1 }
  }

  /// The most frequent reasons first.
  var sorted: [(reason: Reason, count: Int)] {
    counts.sorted { ($1.value, $0.key.text) < ($0.value, $1.key.text) }
      .map { ($0.key, $0.value) }
  }

  /// Such as `2 hidden, 1 .txt (no image)`.
  public var description: String {
    let shown = sorted.prefix(8).map { "\($0.count) \($0.reason.text)" }
    let others = sorted.dropFirst(8).reduce(0) { $0 + $1.count }
    return (shown + (others > 0 ? [Format.counted(others, "other")] : [])).joined(separator: ", ")
  }
}

/// Formats of images, by the endings of their files, that other programs read and this one does not.
private let unreadableImageEndings: Set<String> = [
  "avif", "bmp", "gif", "heic", "jp2", "pgm", "ppm", "tif", "tiff", "webp",
]

/// What follows the last point of a file's name, in lower case.
func fileNameEnding(_ name: some BidirectionalCollection<UInt8>) -> String? {
  guard let point = name.lastIndex(of: UInt8(ascii: ".")) else { return nil }
  return String(decoding: name[name.index(after: point)...], as: UTF8.self).lowercased()
}

/// Whether a file is a sample, by its ending in any case.
func isImageFileName(_ name: some BidirectionalCollection<UInt8>) -> Bool {
  ["jpg", "jpeg", "png"].contains(fileNameEnding(name))
}
