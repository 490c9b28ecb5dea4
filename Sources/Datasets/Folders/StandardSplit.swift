/// The two splits of data sets whose files do not carry the user's names.
enum StandardSplit {
  case training, validation

  /// - Parameter name: such as `train`, or `val`, `validation` or `test`.
  init?(name: String) {
    if ImageDataset.trainingSplits.contains(name) {
      self = .training
    } else if ImageDataset.validationSplits.contains(name) {
      self = .validation
    } else {
      return nil
    }
  }
}
