internal import CSpikeKernels

/// The weights of a convolution, [kernel, kernel, input channels, output channels]: values as they are
/// stored, times a factor and plus a term of their output channel. What packs or transforms weights
/// applies these as it goes, so that standardized weights take no memory.
public struct ConvolutionWeights {
  let values: FloatView
  let affine: ChannelAffine?

  /// - Parameter affine: for each output channel; none takes the values as they are.
  public init(_ values: FloatView, _ affine: ChannelAffine? = nil) {
    self.values = values
    self.affine = affine
  }

  /// The weights as they are multiplied.
  public func elements(in arena: Arena) -> [Float] {
    var elements: [Float] = []
    withElements(in: arena) {
      elements = Array(UnsafeBufferPointer(start: $0, count: values.count))
    }
    return elements
  }

  /// Calls `body` with the weights, in temporary memory where they differ from the values.
  func withElements(in arena: Arena, _ body: (UnsafeMutablePointer<Float>) -> Void) {
    guard let affine else { return body(values.base) }
    let elements = Scratch(.init(floats: values.count), arena)
    values.copyRows(to: elements[0], affine)
    body(elements[0])
  }

  /// As C takes them.
  var view: sltt_weights {
    sltt_weights(
      values: values.base, scale: affine?.scale.base, shift: affine?.shift.base)
  }
}
