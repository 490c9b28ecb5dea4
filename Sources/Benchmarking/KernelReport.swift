import Support
import Tensors

/// The speed of convolutions of spikes, kernel by kernel.
public struct KernelReport: PlottedReport {
  /// A pass of a shape of convolution, on spikes of one density.
  struct Row: Encodable {
    let layers: [String]
    /// Of one sample: height, width, channels.
    let input: [Int]
    let output: [Int]
    let stride: Int
    let pass: String
    /// Share of the input's elements that are spikes; nil where the pass does not depend on it.
    let density: Double?
    /// As dense kernels have them.
    let operations: Int
    /// By kernel.
    let seconds: [String: Double]
    /// The kernel that training takes.
    let chosen: String

    init(
      layers: [String], _ geometry: ConvolutionGeometry, _ pass: ConvolutionPass,
      density: Double?, operations: Int, seconds: [String: Double], chosen: String
    ) {
      let (input, output) = (geometry.input(samples: 1), geometry.output(samples: 1))
      self.layers = layers
      self.input = [input.h, input.w, input.c]
      self.output = [output.h, output.w, output.c]
      stride = geometry.window.stride
      self.pass = pass.rawValue
      (self.density, self.operations, self.seconds) = (density, operations, seconds)
      self.chosen = chosen
    }

    var name: String {
      "\(input.map(String.init).joined(separator: "x")) > \(output[2])"
        + (stride == 1 ? "" : " /\(stride)")
    }

    var denseSeconds: Double { seconds[ConvolutionBackend.Kernels.dense.rawValue]! }

    /// Of a choice that is good enough, the time over the least.
    private static let goodEnough = 1.15

    /// The fastest kernel and how many times faster it is, where the one that training takes is slower by
    /// more than 15 %.
    var better: (kernel: String, times: Double)? {
      guard let taken = seconds[chosen], let best = seconds.min(by: { $0.value < $1.value }),
        taken > Self.goodEnough * best.value
      else { return nil }
      return (best.key, taken / best.value)
    }

    /// How many times faster than dense a kernel is, if it computes the pass.
    func speed(_ kernel: ConvolutionBackend.Kernels) -> Double? {
      seconds[kernel.rawValue].map { denseSeconds / $0 }
    }
  }

  /// The kernels that are compared, dense first.
  static let kernels: [ConvolutionBackend.Kernels] = [.dense, .events, .winograd, .tiles]

  let network: String
  let samples: Int
  /// Of dense kernels.
  let precision: String
  let machine: BenchmarkMachine
  let rows: [Row]
  /// A table of costs that was fitted to the times, where asked for.
  let fit: String?

  /// For people.
  public var text: String {
    """
    network  \(network)
    input    random spikes, \(Format.counted(samples, "sample")); dense kernels in \(precision)
    machine  \(machine.text)

    \(timeTable)

    Speed is the time of the dense kernel over that of another. Training takes the chosen kernel.
    \(choices)\(fit.map { "\n\n\($0)" } ?? "")
    """
  }

  /// Where the cost model is wrong.
  private var choices: String {
    let wrong = rows.compactMap { row in row.better.map { (row, $0) } }
    guard !wrong.isEmpty else { return "The choice is within 15 % of the fastest everywhere." }
    return "The choice is slower than the fastest by more than 15 % in"
      + " \(wrong.count) of \(Format.counted(rows.count, "row")):\n"
      + wrong.map { row, better in
        let density = row.density.map { ", density \($0)" } ?? ""
        return "  \(row.name), \(row.pass)\(density): \(better.kernel) is"
          + " \(Format.fixed(better.times, 2)) times faster than \(row.chosen)"
      }.joined(separator: "\n")
  }

  private var timeTable: String {
    let (kernels, others) = (Self.kernels, Self.kernels.dropFirst())
    var lines = [
      ["convolution", "layers", "pass", "density"] + kernels.map { "ms \($0.rawValue)" }
        + others.map { "speed \($0.rawValue)" } + ["GFLOP/s dense", "chosen"]
    ]
    lines += rows.map { row in
      [
        row.name, "\(row.layers.count)", row.pass,
        row.density.map { "\($0)" } ?? "",
      ]
        + kernels.map { row.seconds[$0.rawValue].map { Format.fixed($0 * 1000, 3) } ?? "" }
        + others.map { row.speed($0).map { Format.fixed($0, 2) } ?? "" }
        + [Format.rate(Double(row.operations) / row.denseSeconds / 1e9), row.chosen]
    }
    return table(lines, leftAligned: 3)
  }

  /// Speed against density by events: the forward pass as lines, the weights' gradient as points.
  public var plot: LinePlot {
    var names: [String] = []
    for row in rows where !names.contains(row.name) { names.append(row.name) }
    func points(_ name: String, _ pass: ConvolutionPass) -> [LinePlot.Point] {
      rows.filter { $0.name == name && $0.pass == pass.rawValue }
        .sorted { $0.density! < $1.density! }
        .compactMap { row in row.speed(.events).map { .init(100 * row.density!, $0) } }
    }
    return LinePlot(
      title: "Convolutions of spikes by events", xLabel: "density of spikes (%)",
      yLabel: "times faster than dense",
      series: names.enumerated().flatMap { index, name in
        [
          LinePlot.Series("\(name)", points(name, .forward), .line, color: index),
          LinePlot.Series(
            "\(name), gradient", points(name, .backwardWeights), .points, color: index),
        ].filter { !$0.points.isEmpty }  // Not all have a kernel by events.
      })
  }
}
