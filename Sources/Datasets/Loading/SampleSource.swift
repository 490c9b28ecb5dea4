import Support

/// Labelled samples in a fixed order, of whatever kind.
public protocol SampleSource: Sendable {
  /// The split's place, for messages: `ROOT/train` or `ARCHIVE:train`.
  var location: String { get }
  /// Class names; a label is a position in this list.
  var classes: [String] { get }
  /// The label of every sample.
  var labels: [Int32] { get }
  /// The file path or archive entry of a sample, for messages.
  func name(of index: Int) -> String
  /// Stands for the list of samples, wherever the data set lies; no sample is read for it.
  var listingHash: UInt64 { get }
  /// The same for copies of the data, as far as that can be told without reading samples. Ranks compare it.
  func copyHash() throws(DatasetError) -> UInt64
  /// What was found beside the samples.
  var passedOver: PassedOver { get }
  /// Which of its files do not have the published number of samples, if any, for people.
  var sizeNote: String? { get }
}

/// What people should know of a split.
public struct SplitNote: Sendable, Equatable {
  /// What it is about, in a word or two: `passed over`.
  public let title: String
  public let text: String
}

extension SampleSource {
  /// The number of samples.
  public var count: Int { labels.count }

  public func copyHash() throws(DatasetError) -> UInt64 { fingerprint }

  public var passedOver: PassedOver { PassedOver() }

  public var sizeNote: String? { nil }

  public var notes: [SplitNote] {
    [
      passedOverNote.map { SplitNote(title: "passed over", text: $0) },
      sizeNote.map { SplitNote(title: "other size", text: "\(location): \($0)") },
    ].compactMap { $0 }
  }

  /// What was found beside the samples, if there was anything, and where, for people.
  var passedOverNote: String? {
    guard !passedOver.isEmpty else { return nil }
    return "\(Format.counted(passedOver.count, "file")) in \(location): \(passedOver)"
  }

  /// A hash of all names.
  public var listingHash: UInt64 {
    var hash = XXHash64()
    for sample in 0..<count {
      let name = name(of: sample)
      hash.update(name: name.hasPrefix(location) ? name.dropFirst(location.count) : name[...])
    }
    return hash.value
  }

  /// The same for data sets with the same classes and the same list of labelled samples, wherever they
  /// lie.
  public var fingerprint: UInt64 {
    var hash = XXHash64()
    for name in classes { hash.update(name: name) }
    labels.withUnsafeBytes { hash.update($0) }
    withUnsafeBytes(of: listingHash.littleEndian) { hash.update($0) }
    return hash.value
  }
}

/// Throws an error that names the first difference unless both have the same class list.
public func requireSameClasses(
  training: any SampleSource, validation: any SampleSource
) throws(DatasetError) {
  let (first, second) = (training.classes, validation.classes)
  // By bytes: texts are equal if they show the same, and then their places may differ.
  let index = zip(first, second).prefix { $0.utf8.elementsEqual($1.utf8) }.count
  guard index < max(first.count, second.count) else { return }
  throw .classesDiffer(
    training: training.location, validation: validation.location, index: index,
    trainingClass: index < first.count ? first[index] : nil,
    validationClass: index < second.count ? second[index] : nil)
}
