internal import CSpikeKernels

/// A 3x3 convolution with stride 1, of spikes as floats and of other numbers, by Winograd's method,
/// F(4x4, 3x3) of Lavin and Gray (arXiv 1509.09308): a quarter of a direct convolution's products, and
/// rounding errors about twice its own. All in single precision.
///
/// Weights are transformed anew in each pass, a slice of them at a time: they would take four times the
/// room of the weights.
final class WinogradConvolution: ConvolutionMethod {
  let geometry: ConvolutionGeometry
  let arena: Arena
  let kernel = ConvolutionKernel.winograd
  let forwardShape: sltt_winograd_shape
  private let backwardShape: sltt_winograd_shape
  let outputSums: ChannelSums
  let zeros: FloatView

  /// Floats of transformed weights that are made at a time: they stay in the cache.
  private static let slice = SLTT_WINOGRAD_POINTS * 256 * 256
  /// So few that a thread's part of them hides no more than reading the weights.
  private static let fewTiles = 128
  /// So few that their products with a group stay in the cache.
  private static let tilesOfGroup = 64

  /// Of all threads' transformed inputs and products. Many threads go through fewer tiles at a time.
  private static let roomBytes = 12 << 20

  /// Whether there is a kernel for the geometry.
  static func isPossible(_ geometry: ConvolutionGeometry) -> Bool {
    geometry.window.kernel == 3 && geometry.window.padding == 1 && geometry.window.stride == 1
  }

  init(_ geometry: ConvolutionGeometry, arena: Arena) {
    precondition(Self.isPossible(geometry))
    (self.geometry, self.arena) = (geometry, arena)
    outputSums = ChannelSums(channels: geometry.outputChannels)
    zeros = FlatBuffer(count: geometry.outputChannels).all
    let (height, width) = (geometry.inputHeight, geometry.inputWidth)
    let (inputs, outputs) = (geometry.inputChannels, geometry.outputChannels)
    forwardShape = .init(height: height, width: width, inputs: inputs, outputs: outputs)
    backwardShape = .init(height: height, width: width, inputs: outputs, outputs: inputs)
  }

  func costs(of pass: ConvolutionPass, samples: Int, density: Double?) -> [Double]? {
    WinogradCost(geometry: geometry).terms(of: pass, samples: samples)
  }

  /// None: weights are transformed anew in each pass.
  func packedBytes(for pass: ConvolutionPass) -> Int { 0 }

  func weightsDidChange() {}

  func forward(
    _ x: borrowing Tensor, weights: ConvolutionWeights, bias: FloatView?, into y: inout Tensor,
    accumulating: Bool
  ) {
    checkShapes(x.shape, y.shape)
    convolve(
      forwardShape, x, weights, isTransposed: false, bias: bias, into: &y,
      accumulating: accumulating)
  }

  func backwardInput(_ gy: borrowing Tensor, weights: ConvolutionWeights, into gx: inout Tensor) {
    checkShapes(gx.shape, gy.shape)
    convolve(
      backwardShape, gy, weights, isTransposed: true, bias: nil, into: &gx, accumulating: false)
  }

  private func convolve(
    _ shape: sltt_winograd_shape, _ x: borrowing Tensor, _ weights: ConvolutionWeights,
    isTransposed: Bool,
    bias: FloatView?, into y: inout Tensor, accumulating: Bool
  ) {
    y.willChange()
    guard x.shape.n > 0 else { return }
    withUnsafePointer(to: shape) { shape in
      let pass = Pass(
        shape: shape, input: x.pointer, weights: weights.view, isTransposed: isTransposed ? 1 : 0,
        bias: bias?.base, isAccumulating: accumulating ? 1 : 0, output: y.pointer)
      let tiles = sltt_winograd_tiles(shape, x.shape.n)
      let room = Room(shape, tiles: tiles)
      if room.isSharedByGroups {
        convolveByGroups(pass, tiles: tiles, room)
      } else {
        convolveByTiles(pass, tiles: tiles, room)
      }
    }
  }

  /// Who shares the work of a pass, and the memory that this takes.
  private struct Room {
    /// Whether threads share the groups of outputs, else the tiles.
    let isSharedByGroups: Bool
    /// Tiles that a thread goes through at a time: with all groups, or with one.
    let block: Int
    /// Groups whose weights are transformed at a time, where threads share the tiles.
    let groups: Int
    let inputs, weights, products: Scratch.Size

    init(_ shape: UnsafePointer<sltt_winograd_shape>, tiles: Int) {
      let groups = sltt_winograd_groups(shape)
      isSharedByGroups = tiles <= WinogradConvolution.fewTiles && groups >= parallelParts(.max)
      if isSharedByGroups {
        let blocks =
          (tiles + WinogradConvolution.tilesOfGroup - 1) / WinogradConvolution.tilesOfGroup
        block = (tiles + blocks - 1) / blocks
        self.groups = 0
        inputs = Scratch.Size(floats: sltt_winograd_input_count(shape, tiles, 1))
        products = Scratch.Size(
          floats: sltt_winograd_few_count(block), parts: parallelParts(groups))
      } else {
        let parts = parallelParts(tiles)
        let perTile = 4 * (sltt_winograd_input_count(shape, 1, 0) + sltt_winograd_product_count(1))
        let rows = SLTT_WINOGRAD_ROWS
        let most = max(1, WinogradConvolution.roomBytes / (parts * perTile * rows)) * rows
        block = min(SLTT_WINOGRAD_PRODUCTS, (tiles + parts - 1) / parts, most)
        self.groups = WinogradConvolution.sliceGroups(of: shape)
        inputs = Scratch.Size(floats: sltt_winograd_input_count(shape, block, 0), parts: parts)
        products = Scratch.Size(floats: sltt_winograd_product_count(block), parts: parts)
      }
      weights = Scratch.Size(floats: self.groups * sltt_winograd_weight_count(shape))
    }

    var bytes: Int { inputs.bytes + weights.bytes + products.bytes }
  }

  func scratchBytes(for pass: ConvolutionPass, samples: Int) -> Int {
    // Spikes become floats first.
    let floats = 4 * geometry.input(samples: samples).count
    func room(_ shape: sltt_winograd_shape) -> Int {
      withUnsafePointer(to: shape) { Room($0, tiles: sltt_winograd_tiles($0, samples)).bytes }
    }
    return switch pass {
    case .forward: floats + room(forwardShape)
    case .backwardInput: room(backwardShape)
    case .backwardWeights: floats + gradientBytes
    }
  }

  /// Threads share the tiles: each goes through a few of them at a time, for all weights.
  private func convolveByTiles(_ pass: Pass, tiles: Int, _ room: Room) {
    let (shape, block) = (pass.shape, room.block)
    let inputs = Scratch(room.inputs, arena)
    let products = Scratch(room.products, arena)
    let size = sltt_winograd_weight_count(shape)
    forSlices(of: shape, groups: room.groups) { groups, transformed in
      transformWeights(pass, groups, into: transformed)
      parallelFor(tiles) { thread, part in
        for first in stride(from: part.lowerBound, to: part.upperBound, by: block) {
          let count = min(block, part.upperBound - first)
          sltt_winograd_transform_input(
            shape, pass.input, first, block, 0, inputs[thread], 0, count)
          for group in groups {
            pass.multiply(
              inputs[thread], block: first, tiles: block, 0..<count,
              transformed + (group - groups.lowerBound) * size, group, products[thread])
          }
        }
      }
    }
  }

  /// Threads share the groups of outputs, so that each reads the weights of few alone, which it transforms as
  /// it needs them: of few tiles they are the greater part.
  private func convolveByGroups(_ pass: Pass, tiles: Int, _ room: Room) {
    let inputs = Scratch(room.inputs, arena)
    parallelFor(tiles) { _, part in
      sltt_winograd_transform_input(
        pass.shape, pass.input, 0, tiles, 1, inputs[0], part.lowerBound, part.upperBound)
    }
    let products = Scratch(room.products, arena)
    parallelFor(sltt_winograd_groups(pass.shape)) { thread, groups in
      for group in groups {
        for first in stride(from: 0, to: tiles, by: room.block) {
          pass.convolve(
            inputs[0], tiles: tiles, first..<min(first + room.block, tiles), group,
            products[thread])
        }
      }
    }
  }

  /// Transforms the weights of some groups, one group's behind the other's.
  private func transformWeights(
    _ pass: Pass, _ groups: Range<Int>, into transformed: UnsafeMutablePointer<Float>
  ) {
    let size = sltt_winograd_weight_count(pass.shape)
    parallelFor(groups.count, units: inputBlocks(pass.shape)) { _, index, part in
      pass.transformWeights(
        groups.lowerBound + index, inputs: part, into: transformed + index * size)
    }
  }

  /// Calls `body` with one range of groups of outputs after the other, and with room for their transformed
  /// weights.
  ///
  /// - Parameter step: groups at a time.
  func forSlices(
    of shape: UnsafePointer<sltt_winograd_shape>, groups step: Int,
    _ body: (_ groups: Range<Int>, _ weights: UnsafeMutablePointer<Float>) -> Void
  ) {
    let groups = sltt_winograd_groups(shape)
    let room = Scratch(.init(floats: step * sltt_winograd_weight_count(shape)), arena)
    for first in stride(from: 0, to: groups, by: step) {
      body(first..<min(groups, first + step), room[0])
    }
  }

  /// Groups of outputs of which weights are transformed at a time.
  static func sliceGroups(of shape: UnsafePointer<sltt_winograd_shape>) -> Int {
    min(sltt_winograd_groups(shape), max(1, slice / sltt_winograd_weight_count(shape)))
  }

  private func inputBlocks(_ shape: UnsafePointer<sltt_winograd_shape>) -> Int {
    let lanes = SLTT_WINOGRAD_LANES
    return (shape.pointee.inputs + lanes - 1) / lanes
  }
}

/// What the parts of a pass share.
private struct Pass {
  let shape: UnsafePointer<sltt_winograd_shape>
  let input: UnsafePointer<Float>
  let weights: sltt_weights
  let isTransposed: Int32
  let bias: UnsafePointer<Float>?
  let isAccumulating: Int32
  let output: UnsafeMutablePointer<Float>

  /// - Parameter inputs: blocks of SLTT_WINOGRAD_LANES.
  func transformWeights(
    _ group: Int, inputs: Range<Int>, into transformed: UnsafeMutablePointer<Float>
  ) {
    withUnsafePointer(to: weights) {
      sltt_winograd_transform_weights(
        shape, $0, isTransposed, group, transformed, inputs.lowerBound, inputs.upperBound)
    }
  }

  /// - Parameters:
  ///   - inputs: of all `tiles`, transformed.
  ///   - part: of the tiles.
  func convolve(
    _ inputs: UnsafePointer<Float>, tiles: Int, _ part: Range<Int>, _ group: Int,
    _ products: UnsafeMutablePointer<Float>
  ) {
    withUnsafePointer(to: weights) {
      sltt_winograd_convolve_few(
        shape, inputs, tiles, $0, isTransposed, group, bias, isAccumulating, output, products,
        part.lowerBound, part.upperBound)
    }
  }

  /// - Parameters:
  ///   - block: its first tile; it has so many `tiles`.
  ///   - part: of the block.
  func multiply(
    _ inputs: UnsafePointer<Float>, block: Int, tiles: Int, _ part: Range<Int>,
    _ weights: UnsafePointer<Float>, _ group: Int, _ products: UnsafeMutablePointer<Float>
  ) {
    sltt_winograd_multiply(
      shape, inputs, block, tiles, weights, group, bias, isAccumulating, output, products,
      part.lowerBound, part.upperBound)
  }
}
