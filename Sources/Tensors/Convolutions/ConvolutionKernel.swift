/// The passes of a convolution, named as people see them.
public enum ConvolutionPass: String, CaseIterable, Sendable {
  case forward
  /// The gradient of the input.
  case backwardInput = "input gradient"
  /// The gradient of the weights.
  case backwardWeights = "weight gradient"
}

/// What computes a pass of a convolution, named as people see it.
public enum ConvolutionKernel: String, CaseIterable, Sendable, Codable {
  /// oneDNN's direct convolutions.
  case oneDNN = "onednn"
  /// OpenBLAS's matrix product over unfolded images.
  case openBLAS = "openblas"
  /// Additions of what belongs to the neurons that fire.
  case events
  /// Winograd's method.
  case winograd
  /// Products of tiles of spikes, by a matrix engine where there is one.
  case tiles
}

extension Convolution {
  /// The greatest density of spikes, in steps of a thousandth, at which a pass goes by events; nil where
  /// it never does.
  public func greatestEventDensity(for pass: ConvolutionPass, samples: Int) -> Double? {
    (0...1000).last {
      kernel(for: pass, samples: samples, density: Double($0) / 1000) == .events
    }
    .map { Double($0) / 1000 }
  }
}
