import Tensors

/// Clipping of the gradient g of all parameters together by its norm, as PyTorch's `clip_grad_norm_`
/// (Pascanu et al., ICML 2013):
///
///     g *= min(1, c / (|g| + 1e-6))
struct GradientClipping {
  /// c
  let largestNorm: Double

  /// Shortens the gradient.
  ///
  /// - Parameters:
  ///   - parts: of it, those that this rank has the sums over the ranks of.
  ///   - norm: |g|, the same on all ranks.
  func clip(_ parts: [FloatView], norm: Double) {
    let factor = largestNorm / (norm + 1e-6)
    guard factor < 1 else { return }
    for part in parts { part.assign(part, times: Float(factor)) }
  }
}
