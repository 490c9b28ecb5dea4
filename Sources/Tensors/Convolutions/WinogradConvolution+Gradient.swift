internal import CSpikeKernels

/// The gradient of the weights: for each point the product of transformed inputs and output gradients over
/// all tiles, which is transformed to the three by three weights in the end.
extension WinogradConvolution {
  func backwardWeights(
    _ x: borrowing Tensor, _ gy: borrowing Tensor, into weightGradient: FloatView,
    bias biasGradient: FloatView?
  ) {
    checkShapes(x.shape, gy.shape)
    guard x.shape.n > 0 else { return }
    if let biasGradient { addSums(of: gy, to: biasGradient) }
    let (input, output) = (x.pointer, gy.pointer)
    withUnsafePointer(to: forwardShape) { shape in
      let (tiles, block) = (sltt_winograd_tiles(shape, x.shape.n), SLTT_WINOGRAD_BLOCK)
      let inputs = Scratch(.init(floats: sltt_winograd_input_count(shape, block, 0)), arena)
      let (size, gradientSize) = (
        sltt_winograd_weight_count(shape), sltt_winograd_gradient_count()
      )
      forSlices(of: shape, groups: Self.sliceGroups(of: shape)) { groups, sums in
        let gradients = Scratch(.init(floats: groups.count * gradientSize), arena)
        for first in stride(from: 0, to: tiles, by: block) {
          let count = min(tiles - first, block)
          parallelFor(count) { _, part in
            sltt_winograd_transform_input(
              shape, input, first, block, 0, inputs[0], part.lowerBound, part.upperBound)
            for (index, group) in groups.enumerated() {
              sltt_winograd_transform_gradient(
                shape, output, group, first, gradients[0] + index * gradientSize,
                part.lowerBound, part.upperBound)
            }
          }
          parallelFor(groups.count * SLTT_WINOGRAD_POINTS) { _, part in
            sltt_winograd_add_products(
              shape, inputs[0], gradients[0], count, first > 0 ? 1 : 0, sums, part.lowerBound,
              part.upperBound)
          }
        }
        parallelFor(geometry.inputChannels) { _, part in
          for (index, group) in groups.enumerated() {
            sltt_winograd_weight_gradient(
              shape, sums + index * size, group, weightGradient.base, part.lowerBound,
              part.upperBound)
          }
        }
      }
    }
  }

  /// Of scratch memory.
  var gradientBytes: Int {
    withUnsafePointer(to: forwardShape) { shape in
      let group = sltt_winograd_weight_count(shape) + sltt_winograd_gradient_count()
      let inputs = sltt_winograd_input_count(shape, SLTT_WINOGRAD_BLOCK, 0)
      return Scratch.Size(floats: inputs + Self.sliceGroups(of: shape) * group).bytes
    }
  }

  /// Adds the sums of `gy` over its pixels.
  private func addSums(of gy: borrowing Tensor, to biasGradient: FloatView) {
    outputSums.takeMoments(of: gy, around: zeros)
    for c in 0..<biasGradient.count { biasGradient[c] += Float(outputSums.first(c)) }
  }
}
