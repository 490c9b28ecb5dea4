import Foundation
import Tensors
import TestSupport
import Testing

@testable import NIR
@testable import SpikingNetworks

@Suite(.enabled(if: (try? NIRFile.requireLibrary()) != nil, "no libhdf5"))
struct NIRFileTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// What a network does with two samples of a static frame.
  private struct Course {
    /// Of each layer of neurons.
    var spikes: [String: Int]
    /// Time step by time step, sample by sample.
    var logits: [Float]
  }

  private func course(_ network: SpikingNetwork, _ frame: [Float]) -> Course {
    var logits: [Float] = []
    network.evaluate(
      FrameSequence(
        static: Tensor(network.specification.input.withSamples(2), frame, in: network.arena)),
      timesteps: RandomNetwork.timesteps
    ) { _, step in
      logits += (0..<step.tensor.shape.count).map { step.tensor[$0] }
    }
    let counts = network.neurons.map { ($0.summary.name, $0.spikeCount) }
    return Course(spikes: Dictionary(uniqueKeysWithValues: counts), logits: logits)
  }

  /// What a Python program makes of the network's graph: lines of `spikes LAYER COUNT` and `logits …`.
  private func course(
    _ network: SpikingNetwork, _ frame: [Float], simulatedBy program: String
  ) throws -> Course {
    let path = directory.file("network.nir")
    try NIRFile.write(NetworkGraph(network), metadata: ["note": "τ"], to: path)
    let input = network.specification.input
    try directory.write(frame.map { "\($0)" }.joined(separator: " "), to: "frame")
    let output = try Python.run(
      program, path, directory.file("frame"), "\(RandomNetwork.timesteps)",
      "\(input.h)", "\(input.w)", "\(input.c)")
    var course = Course(spikes: [:], logits: [])
    for line in output.split(separator: "\n").map({ $0.split(separator: " ") }) {
      if line[0] == "spikes" { course.spikes[String(line[1])] = Int(line[2]) }
      if line[0] == "logits" { course.logits += line.dropFirst().map { Float($0)! } }
    }
    return course
  }

  /// By the forward Euler method, with the package's own reader.
  @Test(
    .enabled(if: Python.has("nir", "numpy"), "no Python with nir"),
    arguments: RandomNetwork.allCases)
  func simulatedByItsEquationsItFiresTheSameSpikes(kind: RandomNetwork) throws {
    let network = try kind.make(reset: .hard)
    let frame = kind.frame(network)
    let expected = course(network, frame)
    let simulated = try course(network, frame, simulatedBy: Self.eulerProgram)
    #expect(simulated.spikes == expected.spikes)
    #expect(relativeDifference(simulated.logits, expected.logits) <= 1e-4)
  }

  @Test(
    .enabled(
      if: Python.has("spikingjelly.activation_based.nir_exchange"),
      "no Python with spikingjelly"),
    arguments: RandomNetwork.allCases)
  func spikingJellyGivesTheSameLogits(kind: RandomNetwork) throws {
    let network = try kind.make(reset: .hard)
    let frame = kind.frame(network)
    let simulated = try course(network, frame, simulatedBy: Self.spikingJellyProgram)
    #expect(relativeDifference(simulated.logits, course(network, frame).logits) <= 1e-4)
  }

  @Test func softResetsAreRefused() throws {
    let graph = try NetworkGraph(RandomNetwork.vgg.make(reset: .soft))
    let error = #expect(throws: NetworkGraphError.self) {
      try NIRFile.write(graph, to: directory.file("network.nir"))
    }
    #expect(error?.layer == "layer1.2")
    #expect(error?.problem.contains("neuron.reset=hard") == true)
    #expect(try directory.contents == [])
  }

  @Test func theSameNetworkGivesTheSameBytes() throws {
    let graph = try NetworkGraph(RandomNetwork.resNet.make(reset: .hard))
    let files = try ["a", "b"].map { name in
      try NIRFile.write(graph, to: directory.file(name))
      return try Data(contentsOf: URL(fileURLWithPath: directory.file(name)))
    }
    #expect(files[0] == files[1])
    #expect(NIRFile.isHDF5(directory.file("a")))
    try directory.write("no HDF5", to: "b")
    #expect(!NIRFile.isHDF5(directory.file("b")) && !NIRFile.isHDF5(directory.file("c")))
    #expect(try directory.contents == ["a", "b"])
  }

  /// Reads arguments into `graph`, `x` [N, C, H, W] and `steps`.
  private static let arguments = """
    import sys, nir, numpy as np
    graph = nir.read(sys.argv[1])
    steps, h, w, c = map(int, sys.argv[3:7])
    x = np.array(open(sys.argv[2]).read().split(), np.float32).reshape(2, h, w, c).transpose(0, 3, 1, 2)

    """

  private static let eulerProgram =
    arguments + """
      assert nir.serialization.read_version(sys.argv[1]).startswith("1.")
      assert graph.metadata["note"] == "τ", graph.metadata
      dt = float(graph.metadata["dt"])

      def windows(x, kernel, stride, padding):
        (ph, pw), (kh, kw), (sh, sw) = padding, kernel, stride
        x = np.pad(x, [(0, 0), (0, 0), (ph, ph), (pw, pw)])
        view = np.lib.stride_tricks.sliding_window_view(x, (kh, kw), axis=(2, 3))
        return view[:, :, ::sh, ::sw]

      sources = {name: [a for a, b in graph.edges if b == name] for name in graph.nodes}
      potentials, spikes = {}, {}

      def apply(name, node, x):
        if isinstance(node, nir.Conv2d):
          assert node.groups == 1 and (np.array(node.dilation) == 1).all()
          taps = windows(x, node.weight.shape[2:], node.stride, node.padding)
          y = np.einsum("nchwij,ocij->nohw", taps, node.weight.astype(float))
          return y + node.bias[:, None, None]
        if isinstance(node, nir.AvgPool2d):
          return windows(x, node.kernel_size, node.stride, node.padding).mean((4, 5))
        if isinstance(node, nir.Affine):
          return x @ node.weight.T.astype(float) + node.bias
        if isinstance(node, nir.Flatten):
          assert node.start_dim == 0
          return x.reshape(len(x), -1)
        if isinstance(node, nir.Output):
          return x
        v = potentials.get(name, np.zeros_like(x))
        if isinstance(node, nir.LIF):
          v = v + dt / node.tau.astype(float) * ((node.v_leak - v) + node.r * x)
        else:
          assert isinstance(node, nir.IF), node
          v = v + dt * (node.r * x)
        z = v > node.v_threshold
        potentials[name] = np.where(z, node.v_reset, v)
        spikes[name] = spikes.get(name, 0) + int(z.sum())
        return z.astype(float)

      for t in range(steps):
        values = {name: x.astype(float) for name, node in graph.nodes.items() if isinstance(node, nir.Input)}
        while len(values) < len(graph.nodes):
          for name, node in graph.nodes.items():
            if name not in values and all(source in values for source in sources[name]):
              values[name] = apply(name, node, sum(values[source] for source in sources[name]))
        print("logits", *values["output"].reshape(-1))
      for name, count in spikes.items():
        print("spikes", name, count)
      """

  private static let spikingJellyProgram =
    arguments + """
      import torch
      from spikingjelly.activation_based.nir_exchange import import_from_nir
      network, state = import_from_nir(graph).eval(), None
      with torch.no_grad():
        for t in range(steps):
          logits, state = network(torch.from_numpy(x.copy()), state)
          print("logits", *logits.reshape(-1).tolist())
      """
}
