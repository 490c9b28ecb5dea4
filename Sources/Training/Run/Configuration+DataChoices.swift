import Configuration
import Datasets
import Distributed

extension Configuration {
  /// Sets what is left out to what suits the data, if `data.path` names some. For rank 0 alone; the others
  /// are told.
  ///
  /// - Parameter activity: where it is noted that this gets on.
  /// - Returns: what was chosen, for people, a line each; nothing where nothing was left to choose.
  /// - Throws: `ConfigurationError`, `DatasetError` where the data cannot be opened.
  public mutating func chooseFromData(_ activity: ActivityRecord) throws -> [String] {
    guard let path = data.path else { return [] }
    var keys: [String] = []
    var traits: (any CustomStringConvertible)?
    let format = eventFormat
    if let format {
      guard isOpen(toRecordings: true) else { return [] }
      let recordings = try RecordingTraits(format, path: path, rule: setFrameRule)
      (keys, traits) = (choose(for: recordings), recordings)
    } else {
      let splits = try DataSplits(self, SingleProcess(activity: activity))
      if isOpen(toRecordings: false) {
        guard let source = try splits.openTraining() as? any ImageSource else {
          preconditionFailure("what has no format of events is images")
        }
        let images = try ImageTraits(of: source, progress: activity.touch)
        (keys, traits) = (choose(for: images), images)
      }
      if isOpenToHoldOut, try !splits.hasValidation() { keys += chooseHoldOut() }
    }
    guard !keys.isEmpty else { return [] }
    let head = traits.map { ", \($0)" } ?? ""
    return ["chosen from the data\(head):"] + keys.map { "  \($0): \(value(of: $0) ?? "none")" }
  }
}
