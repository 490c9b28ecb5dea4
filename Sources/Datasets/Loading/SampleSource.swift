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
}

extension SampleSource {
  /// The number of samples.
  public var count: Int { labels.count }
}

/// Throws an error that names the first difference unless both have the same class list.
public func requireSameClasses(
  training: any SampleSource, validation: any SampleSource
) throws(DatasetError) {
  let (first, second) = (training.classes, validation.classes)
  guard first != second else { return }
  let index = zip(first, second).prefix { $0 == $1 }.count
  throw .classesDiffer(
    training: training.location, validation: validation.location, index: index,
    trainingClass: index < first.count ? first[index] : nil,
    validationClass: index < second.count ? second[index] : nil)
}
