internal import COneDNN

/// The gradient of a convolution's weights by oneDNN in single precision, with the same bits for any number
/// of threads.
///
/// oneDNN divides samples among its threads and adds up what each found, so that the bits would depend on
/// their number. Here each call of oneDNN is for some samples and some output channels, a slice, and
/// stays on one thread; threads share the calls.
final class OneDNNWeightGradient {
  private let geometry: ConvolutionGeometry
  private let arena: Arena
  private var lanes: [Lane] = []
  private var rooms: [Int: Room] = [:]
  private let stream = OneDNNStream()

  init(_ geometry: ConvolutionGeometry, arena: Arena) {
    (self.geometry, self.arena) = (geometry, arena)
  }

  /// - Parameters:
  ///   - x: the input, NHWC.
  ///   - gy: the gradient of the output, NHWC.
  func add(
    _ x: UnsafeMutablePointer<Float>, _ gy: UnsafeMutablePointer<Float>, samples: Int,
    to weightGradient: FloatView, bias biasGradient: FloatView?
  ) {
    let sums = GradientSums(
      weightGradient, bias: biasGradient, outputs: geometry.outputChannels, samples: samples,
      units: slices, enough: enough, arena)
    let room = room(samples: samples)
    let size = room.size(parts: parallelParts(sums.groups * slices))
    let scratch = Scratch(size, arena)
    while lanes.count < size.parts { lanes.append(Lane()) }
    let (geometry, lanes) = (geometry, lanes)
    let inputStride = geometry.input(samples: 1).count
    let outputStride = geometry.output(samples: 1).count
    sums.forEachPart { thread, group, part in
      let (samples, place) = (sums.samples(of: group), sums[group])
      let weights = scratch[thread]
      let bias = weights + room.weights
      let workspace = bias + sliceWidth
      let copy = workspace + room.workspace
      for slice in part {
        let first = slice * sliceWidth
        let outputs = first..<min(first + sliceWidth, geometry.outputChannels)
        var gradient = gy + samples.lowerBound * outputStride
        if room.copies > 0 {
          copyChannels(outputs, of: gradient, pixels: samples.count * outputPixels, to: copy)
          gradient = copy
        }
        ThreadPool.withOneThread {
          let step = lanes[thread].step(
            geometry, samples: samples.count, outputs: outputs.count,
            hasBias: place.bias != nil)
          step.pass.execute(
            input: x + samples.lowerBound * inputStride, weights: weights, bias: bias,
            output: gradient, workspace: workspace)
          step.reorder.execute(from: weights, to: place.weights + first)
        }
        guard let total = place.bias else { continue }
        for c in outputs { total[c] += bias[c - first] }
      }
    }
    sums.addUp()
  }

  /// A large gradient has few groups of samples, since adding up their sums would take long.
  private var enough: Int { geometry.weightCount > 1 << 16 ? 8 : GradientSums.enoughUnits }

  /// Outputs of the last slice.
  private var lastSlice: Int { geometry.outputChannels - (slices - 1) * sliceWidth }
  private var slices: Int { (geometry.outputChannels + sliceWidth - 1) / sliceWidth }
  private var outputPixels: Int { geometry.output(samples: 1).pixels }

  /// Floats that a call needs: the gradient in a layout of oneDNN's, its own workspace, and a copy of a
  /// slice.
  private struct Room {
    let weights, workspace, copies: Int

    func size(parts: Int) -> Scratch.Size {
      Scratch.Size(floats: weights + sliceWidth + workspace + copies, parts: parts)
    }
  }

  private func room(samples: Int) -> Room {
    if let room = rooms[samples] { return room }
    let groups = GradientSums.groups(samples: samples, units: slices, enough: enough)
    let blocks = (geometry.inputChannels + 15) / 16 * (sliceWidth / 16)
    let most = (samples + groups - 1) / groups
    var workspace = 0
    ThreadPool.withOneThread {
      for samples in Set([samples / groups, most]) {
        for outputs in Set([min(geometry.outputChannels, sliceWidth), lastSlice]) {
          let shape = geometry.slice(outputs).oneDNNShape(samples: samples, hasBias: true)
          workspace = max(
            workspace, OneDNNPass.scratchBytes(shape, SLTT_BACKWARD_WEIGHTS, stream))
        }
      }
    }
    let room = Room(
      weights: 256 * blocks * geometry.window.kernel * geometry.window.kernel,
      workspace: (workspace + 63) / 64 * 16,
      copies: slices > 1 ? most * outputPixels * sliceWidth : 0)
    rooms[samples] = room
    return room
  }

  func scratchBytes(samples: Int) -> Int {
    let groups = GradientSums.groups(samples: samples, units: slices, enough: enough)
    let floats = geometry.weightCount + geometry.outputChannels
    let sums = GradientSums.size(floats, samples: samples, units: slices, enough: enough)
    return sums.bytes
      + room(samples: samples).size(parts: parallelParts(groups * slices)).bytes
  }

  private func copyChannels(
    _ channels: Range<Int>, of matrix: UnsafePointer<Float>, pixels: Int,
    to copy: UnsafeMutablePointer<Float>
  ) {
    let from = matrix + channels.lowerBound
    for pixel in 0..<pixels {
      (copy + pixel * channels.count).update(
        from: from + pixel * geometry.outputChannels, count: channels.count)
    }
  }
}

/// Output channels of a slice.
private let sliceWidth = 64

extension ConvolutionGeometry {
  /// That of some of the outputs.
  fileprivate func slice(_ outputs: Int) -> ConvolutionGeometry {
    ConvolutionGeometry(input: input(samples: 1), outputChannels: outputs, window: window)
  }
}

/// What a thread calls: oneDNN's objects hold the addresses of their data.
private final class Lane {
  struct Key: Hashable {
    let samples, outputs: Int
    let hasBias: Bool
  }

  struct Step {
    let pass: OneDNNPass
    /// Adds the gradient to a slice of all outputs' gradient.
    let reorder: OneDNNReorder
  }

  private let stream = OneDNNStream()
  private var steps: [Key: Step] = [:]

  func step(
    _ geometry: ConvolutionGeometry, samples: Int, outputs: Int, hasBias: Bool
  ) -> Step {
    let key = Key(samples: samples, outputs: outputs, hasBias: hasBias)
    if let step = steps[key] { return step }
    let shape = geometry.slice(outputs).oneDNNShape(samples: samples, hasBias: hasBias)
    let pass = OneDNNPass(shape, SLTT_BACKWARD_WEIGHTS, stream)
    let place = OneDNNMemory(weightsOf: shape, among: geometry.outputChannels, stream)
    let step = Step(
      pass: pass,
      reorder: OneDNNReorder(from: pass.weights, to: place, accumulating: true, stream))
    steps[key] = step
    return step
  }
}
