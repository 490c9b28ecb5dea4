/// The two splits of data sets whose files do not carry the user's names.
enum StandardSplit {
  case training, validation

  /// - Parameter name: `train` or `training`; `val`, `validation` or `test`.
  init?(name: String) {
    switch name {
    case "train", "training": self = .training
    case "val", "validation", "test": self = .validation
    default: return nil
    }
  }
}
