import SpikingNetworks
import Support
import Tensors

/// What computes a convolution of a network.
public struct KernelUse: Equatable, Sendable {
  /// The convolution's layer.
  public var layer: String
  /// Share of the input's elements that are spikes; nil where it is not spikes, or not known.
  public var inputDensity: Double?
  public var forward: ConvolutionKernel
  public var inputGradient: ConvolutionKernel
  public var weightGradient: ConvolutionKernel

  /// One JSON object.
  var json: String {
    let density = inputDensity.map { "\"input_density\": \($0), " } ?? ""
    return "{\(density)\"forward\": \"\(forward.rawValue)\", \"input_gradient\":"
      + " \"\(inputGradient.rawValue)\", \"weight_gradient\": \"\(weightGradient.rawValue)\"}"
  }
}

extension KernelUse {
  /// What computes a convolution whose input is spikes of this density on average, or not spikes.
  init(_ convolution: ObservedConvolution, samples: Int, inputDensity: Double?) {
    func kernel(_ pass: ConvolutionPass) -> ConvolutionKernel {
      convolution.kernel(for: pass, samples: samples, density: inputDensity)
    }
    layer = convolution.layer
    self.inputDensity = inputDensity
    forward = kernel(.forward)
    inputGradient = kernel(.backwardInput)
    weightGradient = kernel(.backwardWeights)
  }
}

extension SpikingNetwork {
  /// What computes the convolutions.
  ///
  /// - Parameters:
  ///   - densities: of the spikes that come into layers, by the layer's name.
  ///   - samples: that go through the network at once.
  func kernels(at densities: [String: Double], samples: Int) -> [KernelUse] {
    convolutions.map {
      KernelUse($0, samples: samples, inputDensity: densities[$0.layer])
    }
  }
}

extension [KernelUse] {
  /// In a line, for people: the passes whose kernel depends on the density.
  var summary: String {
    let (forward, weightGradient) = (summary(\.forward), summary(\.weightGradient))
    return forward == weightGradient
      ? "forward and weight gradient \(forward)"
      : "forward \(forward); weight gradient \(weightGradient)"
  }

  /// The kernel of most layers with their number, the others with the names of a few.
  private func summary(_ pass: KeyPath<KernelUse, ConvolutionKernel>) -> String {
    let layers = Dictionary(grouping: self) { $0[keyPath: pass] }.mapValues { $0.map(\.layer) }
    let kernels = ConvolutionKernel.allCases.filter { layers[$0] != nil }
      .sorted { layers[$0]!.count > layers[$1]!.count }
    return kernels.map { kernel in
      let names = layers[kernel]!
      let count = Format.counted(names.count, "layer")
      guard kernel != kernels[0], names.count <= Self.namedLayers else {
        return "\(kernel.rawValue) in \(count)"
      }
      return "\(kernel.rawValue) in \(count) (\(names.joined(separator: ", ")))"
    }
    .joined(separator: ", ")
  }

  private static var namedLayers: Int { 6 }
}
