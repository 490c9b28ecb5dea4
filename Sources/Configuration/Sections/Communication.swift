import Distributed

extension Configuration {
  /// What ranks send to each other.
  public struct Communication: Sendable {
    /// Whether gradients are added up over the ranks during the last backward pass.
    public var overlaps = false
    public var wire = WireFormat.float32
  }
}

extension Configuration.Communication {
  static let keys: [ConfigurationKey] = [
    .init(
      "distributed.overlap", \.distributed.overlaps,
      "Add gradients up during the last backward pass; for slow networks and a spare core."),
    .init(
      "distributed.wire", \.distributed.wire,
      "Gradient dtype on the wire; bfloat16 halves the bytes and rounds the sums."),
  ]
}
