import Foundation
import SpikingNetworks
import Support

/// How the gradients of a learning rule agree with those of another, the reference, on the same weights,
/// samples and random choices, by parameter.
public struct GradientComparison: Encodable {
  /// A measurement on one or several batches.
  struct Measured: Encodable {
    var mean: Double
    /// Of a batch; nil where there was a single one.
    var deviation: Double?

    /// - Returns: nil where nothing was measured.
    init?(_ values: [Double]) {
      guard !values.isEmpty else { return nil }
      mean = Support.mean(values)
      deviation = values.count > 1 ? Support.deviation(values) : nil
    }
  }

  /// A parameter, or all together.
  struct Row: Encodable {
    var name: String
    var elements: Int
    /// Nil where a gradient is 0 in all batches.
    var cosine: Measured?
    /// Norm of the gradient against that of the reference; nil where that is 0 in all batches.
    var normRatio: Measured?
    /// Norm of the reference, mean over the batches.
    var referenceNorm: Double

    /// - Parameter agreements: of each batch.
    init(_ name: String, elements: Int, _ agreements: [GradientAgreement]) {
      (self.name, self.elements) = (name, elements)
      cosine = Measured(agreements.compactMap(\.cosine))
      normRatio = Measured(agreements.compactMap(\.normRatio))
      referenceNorm = mean(agreements.map(\.referenceNorm))
    }
  }

  /// A learning rule, and what it minimises.
  struct Rule: Encodable {
    /// As in configuration files.
    var name: String
    /// As in configuration files.
    var loss: String
  }

  var method, reference: Rule
  /// The network in a few words.
  var network: String
  var timesteps: Int
  /// The model's file; nil: the weights are initial ones.
  var weights: String?
  /// Where the samples come from.
  var data: String
  var batches: Int
  /// Of all batches.
  var samples: Int
  /// In the order of the forward pass.
  var parameters: [Row]
  var all: Row

  /// For programs.
  public var json: String { indentedJSON(self) }

  /// For people.
  public var text: String {
    let (own, other) = (method.name, reference.name)
    let rows =
      [["parameter", "elements", "cosine", "|\(own)| / |\(other)|", "|\(other)|"]]
      + (parameters + [all]).map(\.cells)
    return """
      \(network), T = \(timesteps)
      \(own) beside \(other), \(weights.map { "weights of \($0)" } ?? "initial weights")
      \(Format.counted(samples, "sample")) in \(Format.counted(batches, "batch")) of \(data)

      \(table(rows, leftAligned: 1))

      Cosine of the two gradients, ratio of their norms, and norm of that of \(other)\
      \(batches > 1 ? ": mean ± deviation of a batch" : "").
      """ + noteOfRounding + noteOfLosses
  }

  /// As that of a bias before batch norm, which takes it away again.
  private var noteOfRounding: String {
    let least = 1e-6 * all.referenceNorm
    guard parameters.contains(where: { $0.referenceNorm < least }) else { return "" }
    return "\nGradients of less than a millionth of that of all are hardly more than rounding."
  }

  private var noteOfLosses: String {
    guard method.loss != reference.loss else { return "" }
    return "\nThe losses differ, too: \(method.loss) for \(method.name), \(reference.loss) for"
      + " \(reference.name)."
  }
}

extension GradientComparison.Row {
  fileprivate var cells: [String] {
    [
      name, Format.count(elements), cosine?.text ?? "gradient is 0", normRatio?.text ?? "",
      String(format: "%.3g", referenceNorm),
    ]
  }
}

extension GradientComparison.Measured {
  fileprivate var text: String {
    Format.fixed(mean, 4) + (deviation.map { " ± " + Format.fixed($0, 4) } ?? "")
  }
}
