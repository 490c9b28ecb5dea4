import Support
import Tensors

/// The fit of a cost table to timings: the times of the parts with which the squares of the relative errors
/// are least, none of them negative.
struct CostFit {
  /// A timed pass.
  struct Sample {
    let terms: CostTerms
    let precision: Precision
    let nanoseconds: Double
  }

  /// The times of a key's parts, and how far they are from the timings.
  struct Row {
    let terms: CostTerms
    let precision: Precision
    let times: [Double]
    /// Root of the mean square of the relative errors.
    let error: Double
    /// Whether there were more timings than parts: else any of them fit.
    let isDetermined: Bool
  }

  let rows: [Row]

  init(_ samples: [Sample]) {
    let groups = Dictionary(grouping: samples) { CostTable.Key($0.terms, $0.precision) }
    rows = groups.values.map(Self.fit).sorted { $0.name < $1.name }
  }

  /// By going to the least error in one time after the other, which comes to the one minimum there is.
  private static func fit(_ samples: [Sample]) -> Row {
    let parts = samples[0].terms.counts.count
    // In shares of the measured time, so that long and short passes count alike.
    let shares = samples.map { sample in sample.terms.counts.map { $0 / sample.nanoseconds } }
    var times = [Double](repeating: 0, count: parts)
    func sum(_ share: [Double]) -> Double { zip(share, times).reduce(0) { $0 + $1.0 * $1.1 } }
    for _ in 0..<10_000 {
      for part in 0..<parts {
        let (slope, size) = shares.reduce((0.0, 0.0)) { total, share in
          (total.0 + share[part] * (1 - sum(share)), total.1 + share[part] * share[part])
        }
        if size > 0 { times[part] = max(0, times[part] + slope / size) }
      }
    }
    let squares = shares.reduce(0) { $0 + (sum($1) - 1) * (sum($1) - 1) }
    return Row(
      terms: samples[0].terms, precision: samples[0].precision, times: times,
      error: (squares / Double(samples.count)).squareRoot(),
      isDetermined: samples.count > parts)
  }

  /// As the code has them.
  var text: String {
    (["fitted costs in nanoseconds, and their error, for Tensors/Convolutions/CostTables.swift"]
      + rows.map { row in
        let times = row.times.map { Format.fixed($0, 3) }.joined(separator: ", ")
        let error =
          row.isDetermined ? Format.percent(row.error) : "too few timings for so many costs"
        return "  \(row.name) [\(times)]  // \(error)"
      }).joined(separator: "\n")
  }
}

extension CostFit.Row {
  fileprivate var name: String {
    "(.\(terms.kernel), .\(terms.pass), \(terms.ofSpikes)) \(precision.rawValue)"
  }
}
