/// The parts that make up the time of a convolution's pass: how many there are of each, by a model of what
/// computes it. Each part takes its own time, which a `CostTable` knows.
public struct CostTerms: Equatable, Sendable {
  /// What computes the pass.
  public var kernel: ConvolutionKernel
  public var pass: ConvolutionPass
  /// Whether the input is spikes.
  public var ofSpikes: Bool
  public var counts: [Double]

  public init(
    kernel: ConvolutionKernel, pass: ConvolutionPass, ofSpikes: Bool, counts: [Double]
  ) {
    (self.kernel, self.pass, self.ofSpikes) = (kernel, pass, ofSpikes)
    self.counts = counts
  }

  /// - Parameter density: the share of the input's elements that are spikes; nil where it is not spikes.
  init(
    _ kernel: ConvolutionKernel, _ pass: ConvolutionPass, density: Double?, _ counts: [Double]
  ) {
    // The gradient of the input does not read it.
    let ofSpikes = density != nil && pass != .backwardInput
    self.init(kernel: kernel, pass: pass, ofSpikes: ofSpikes, counts: counts)
  }
}

/// How long the parts of passes take on a kind of processor, in nanoseconds of one thread.
/// `sltt-dist bench kernels --fit` fits them to timings.
public struct CostTable: Sendable, CustomStringConvertible {
  /// What a row is for.
  public struct Key: Hashable, Sendable {
    public var kernel: ConvolutionKernel
    public var pass: ConvolutionPass
    public var ofSpikes: Bool
    public var precision: Precision

    public init(_ terms: CostTerms, _ precision: Precision) {
      (kernel, pass, ofSpikes) = (terms.kernel, terms.pass, terms.ofSpikes)
      self.precision = precision
    }
  }

  /// The processor that the times are of.
  public let description: String
  private let rows: [Key: [Double]]

  init(_ processor: String, _ rows: [Key: [Double]]) {
    (description, self.rows) = (processor, rows)
  }

  /// The table for this processor. There is one for each kind of kernels, not for each processor.
  public static let current = TileEngine.best == .amx ? emeraldRapids : zen5

  /// Nanoseconds that a pass takes; more than any other where nobody measured it.
  func time(_ terms: CostTerms, _ precision: Precision) -> Double {
    guard let times = rows[Key(terms, precision)] else { return .greatestFiniteMagnitude }
    precondition(times.count == terms.counts.count)
    return zip(times, terms.counts).reduce(0) { $0 + $1.0 * $1.1 }
  }
}
