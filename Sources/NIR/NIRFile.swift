import Foundation
import SpikingNetworks
import Support
import Tensors

/// The Neuromorphic Intermediate Representation (Pedersen et al., Nature Communications 2024): a graph of
/// neurons in continuous time and of linear maps, in the HDF5 layout of the Python package `nir`.
///
/// Where a node gets several edges, it gets the sum. A simulator that takes steps of `timestep` by the forward
/// Euler method does what a time step of training did: with decay 1 - 1/tau,
///
///     v[t] = v[t-1] + dt / (tau dt) ((v_leak - v[t-1]) + r x[t])          LIF: tau dt in seconds
///          = decay v[t-1] + x[t]                                          for r = tau, v_leak = 0
///     v[t] = v[t-1] + dt r x[t] = v[t-1] + x[t]                           IF: r = 1 / dt
///
/// after which a potential above the threshold fires, and becomes v_reset = 0.
public enum NIRFile {
  /// Seconds, as frameworks that read such files take by default.
  public static let timestep = 1e-4
  /// Of the package whose layout this is.
  fileprivate static let version = "1.0.8"

  /// Whether the file is of HDF5; `false` also where it cannot be read.
  public static func isHDF5(_ path: String) -> Bool {
    let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
    guard let file = try? MappedFile(path: path), file.count >= signature.count else {
      return false
    }
    return file.withBytes(0..<signature.count) { $0.elementsEqual(signature) }
  }

  /// Fails with an `HDF5Error` where this machine cannot write such files.
  public static func requireLibrary() throws {
    _ = try HDF5Image.bytes { _ in }
  }

  /// Writes a graph; the file appears completely or not at all.
  ///
  /// - Parameter metadata: of the graph.
  /// - Throws: `NetworkGraphError` where NIR has no such neurons, before anything is written, `HDF5Error` or
  ///   `FileError`.
  public static func write(
    _ graph: NetworkGraph, metadata: [String: String] = [:], to path: String
  ) throws {
    let bytes = try HDF5Image.bytes { try $0.write(graph, metadata) }
    let file = try PartialFile(path: path)
    try file.append(bytes)
    try file.finish()
    try syncDirectory(URL(fileURLWithPath: path).deletingLastPathComponent().path)
  }
}

/// A parameter of a node; arrays are row-major.
private enum NodeField {
  case floats(String, [Float], shape: [Int])
  case integer(String, Int)
  case integers(String, [Int])
}

extension HDF5Image {
  fileprivate func write(_ graph: NetworkGraph, _ metadata: [String: String]) throws {
    try write("/version", [NIRFile.version])
    try write("/node/type", ["NIRGraph"])
    try write("/node/metadata/dt", NIRFile.timestep)
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      try write("/node/metadata/\(key)", [value])
    }
    let (input, output) = (graph.unusedName("input"), graph.unusedName("output"))
    try writeNode(input, "Input", [.integers("shape", graph.inputShape)])
    try writeNode(output, "Output", [.integers("shape", graph.outputShape)])
    var edges: [String] = []
    for node in graph.nodes {
      try write(node)
      for source in node.sources.isEmpty ? [input] : node.sources { edges += [source, node.name] }
    }
    for source in graph.outputs { edges += [source, output] }
    try write("/node/edges", edges, shape: [edges.count / 2, 2])
  }

  private func writeNode(
    _ name: String, _ type: String, _ fields: [NodeField]
  ) throws(HDF5Error) {
    let group = "/node/nodes/\(name)/"
    try write(group + "type", [type])
    for field in fields {
      switch field {
      case .floats(let key, let values, let shape):
        try write(group + key, values, shape: shape)
      case .integer(let key, let value): try write(group + key, [value], shape: [])
      case .integers(let key, let values):
        try write(group + key, values, shape: [values.count])
      }
    }
  }

  private func write(_ node: NetworkGraph.Node) throws {
    let (input, output) = (node.inputShape, node.outputShape)
    func pair(_ key: String, _ value: Int) -> NodeField { .integers(key, [value, value]) }
    switch node.operation {
    case .convolution(let map, let window):
      let shape = [output[0], input[0], window.kernel, window.kernel]
      try writeNode(
        node.name, "Conv2d",
        [
          .integers("input_shape", Array(input.dropFirst())),
          .floats("weight", map.weights, shape: shape),
          .floats("bias", map.biases, shape: [output[0]]),
          pair("stride", window.stride), pair("padding", window.padding), pair("dilation", 1),
          .integer("groups", 1),
        ])
    case .linear(let map):
      try writeNode(
        node.name, "Affine",
        [
          .floats("weight", map.weights, shape: [output[0], input[0]]),
          .floats("bias", map.biases, shape: output),
        ])
    case .flatten:
      try writeNode(
        node.name, "Flatten",
        [.integers("input_type", input), .integer("start_dim", 0), .integer("end_dim", -1)])
    case .averagePool(let window):
      try writeNode(
        node.name, "AvgPool2d",
        [
          pair("kernel_size", window.kernel), pair("stride", window.stride),
          pair("padding", window.padding),
        ])
    case .neurons(let dynamics): try write(node, dynamics)
    }
  }

  private func write(_ node: NetworkGraph.Node, _ dynamics: MembraneDynamics) throws {
    guard dynamics.reset == .hard else {
      throw NetworkGraphError(
        layer: node.name,
        problem: "has neurons with a soft reset, which subtracts the threshold; those of NIR are"
          + " set to a potential. Train with neuron.reset=hard")
    }
    let shape = node.outputShape
    func field(_ key: String, _ value: Float) -> NodeField {
      .floats(key, [Float](repeating: value, count: shape.reduce(1, *)), shape: shape)
    }
    // Neurons fire here at the threshold, in NIR above it.
    let threshold = (dynamics.threshold * dynamics.firing.offset).nextDown
    let common = [field("v_threshold", threshold), field("v_reset", 0)]
    guard dynamics.decay < 1 else {
      return try writeNode(node.name, "IF", common + [field("r", Float(1 / NIRFile.timestep))])
    }
    let tau = 1 / (1 - Double(dynamics.decay))
    try writeNode(
      node.name, "LIF",
      common + [
        field("tau", Float(tau * NIRFile.timestep)), field("r", Float(tau)), field("v_leak", 0),
      ])
  }
}

extension NetworkGraph {
  /// A name like this one that no node has.
  fileprivate func unusedName(_ name: String) -> String {
    nodes.contains { $0.name == name } ? unusedName(name + "_") : name
  }
}
