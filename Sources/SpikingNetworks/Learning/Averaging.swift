/// The two halves of an iteration of rate-based learning (Yu et al., NeurIPS 2024).
enum Averaging: Equatable {
  /// Time steps run forward, so many of them, and layers average what they see.
  case gathering(timesteps: Int)
  /// The averages pass once, forward and backward.
  case passing
}
