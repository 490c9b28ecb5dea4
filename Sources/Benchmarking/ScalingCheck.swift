import Distributed
import Foundation
import Support

/// What a simulation says of training on a number of ranks. Times are seconds, as in `ScalingMeasurement`.
struct ScalingPrediction: Codable, Equatable {
  /// For people: the network between the ranks.
  let platform: String
  let mode: ScalingReport.Mode
  let ranks: Int
  /// What decides how long the exchange takes.
  let reducedBytes: Int
  let wire: WireFormat
  let computeSeconds: Double
  let communicationSeconds: Double
  let waitSeconds: Double

  /// Whether a simulation can have given it.
  var isPlausible: Bool {
    let times = [computeSeconds, communicationSeconds, waitSeconds]
    return ranks > 0 && reducedBytes > 0 && computeSeconds > 0
      && times.allSatisfy { $0 >= 0 && $0.isFinite }
  }

  /// What every rank adds to the exchange depends on their number, but is little.
  func fits(_ bytes: Int) -> Bool { abs(Double(bytes) / Double(reducedBytes) - 1) < 0.01 }
}

/// A file of predictions, as Benchmarks/scaling writes it.
public struct ScalingPredictions {
  let path: String
  let all: [ScalingPrediction]

  /// - Throws: `ScalingCheckError` if it is none.
  public init(file path: String) throws {
    self.path = path
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      all = try decoder.decode(
        [ScalingPrediction].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    } catch {
      throw ScalingCheckError(
        description: "\(path) is no file of predictions as Benchmarks/scaling/simulate.py writes"
          + " it: \(error.localizedDescription)")
    }
    guard !all.isEmpty, all.allSatisfy(\.isPlausible) else {
      throw ScalingCheckError(
        description:
          "\(path) \(all.isEmpty ? "has no predictions" : "has times or bytes that none can be")"
          + ": make it again with Benchmarks/scaling/simulate.py")
    }
  }

  /// Checks before a measurement that something of it was predicted.
  ///
  /// - Throws: `ScalingCheckError`.
  public func requireAny(of ranks: [Int], _ modes: [ScalingReport.Mode]) throws {
    guard !all.contains(where: { ranks.contains($0.ranks) && modes.contains($0.mode) }) else {
      return
    }
    let kinds = Set(all.map(\.mode.rawValue)).sorted().joined(separator: " and ")
    throw ScalingCheckError(
      description: "\(path) has predictions of \(kinds) scaling on"
        + " \(Format.ranges(Set(all.map(\.ranks)).sorted())) ranks, and none of those to be measured"
    )
  }
}

/// A file of predictions does not fit what was measured, or is none.
public struct ScalingCheckError: Error, CustomStringConvertible {
  public let description: String
}

/// Predictions beside what was measured, with the deviation by cause.
public struct ScalingCheck: BenchmarkReport {
  /// Seconds of a cause.
  struct Cause: Codable, Equatable {
    let name: String
    let predicted, measured: Double
  }

  struct Row: Encodable {
    let platform: String
    let mode: ScalingReport.Mode
    let ranks: Int
    let causes: [Cause]

    var predicted: Double { causes.map(\.predicted).reduce(0, +) }
    var measured: Double { causes.map(\.measured).reduce(0, +) }
  }

  let rows: [Row]

  /// - Throws: `ScalingCheckError` if nothing of what was measured was predicted.
  public init(_ predictions: ScalingPredictions, _ report: ScalingReport) throws {
    rows = Self.rows(predictions.all, report)
    guard rows.isEmpty else { return }
    let first = report.series[0].measurements[0]
    let kinds = Set(
      predictions.all.map {
        "\($0.mode.rawValue) \(Format.bytes($0.reducedBytes)) in \($0.wire.rawValue)"
      }
    ).sorted()
    throw ScalingCheckError(
      description: """
        \(predictions.path) has no prediction for \(Format.bytes(first.reducedBytes)) an iteration in \
        \(first.wire.rawValue) on these numbers of ranks; it has \
        \(kinds.joined(separator: ", ")) on \
        \(Format.ranges(Set(predictions.all.map(\.ranks)).sorted())) ranks
        """)
  }

  /// Computing is expected to take what it takes on the least ranks measured, for a prediction comes from
  /// another processor; waiting for stragglers, the same share of it as there.
  private static func rows(_ predictions: [ScalingPrediction], _ report: ScalingReport) -> [Row] {
    report.series.flatMap { series in
      series.measurements.flatMap { measurement in
        predictions.filter {
          $0.mode == series.mode && $0.ranks == measurement.ranks
            && $0.wire == measurement.wire && $0.fits(measurement.reducedBytes)
        }.map { prediction in
          let first = series.measurements[0]
          let shrinks =
            Double(measurement.globalBatch * first.ranks)
            / Double(first.globalBatch * measurement.ranks)
          let compute = first.computeSeconds * shrinks
          return Row(
            platform: prediction.platform, mode: series.mode, ranks: measurement.ranks,
            causes: [
              Cause(
                name: "computing", predicted: compute, measured: measurement.computeSeconds),
              Cause(
                name: "communication", predicted: prediction.communicationSeconds,
                measured: measurement.communicationSeconds),
              Cause(
                name: "stragglers",
                predicted: prediction.waitSeconds / prediction.computeSeconds * compute,
                measured: measurement.waitSeconds),
            ])
        }
      }
    }
  }

  /// For people.
  public var text: String {
    var lines = [["network", "ranks", "cause", "predicted", "measured", "deviation"]]
    for row in rows {
      let total = Cause(name: "iteration", predicted: row.predicted, measured: row.measured)
      for (index, cause) in (row.causes + [total]).enumerated() {
        lines.append([
          index == 0 ? row.platform : "", index == 0 ? "\(row.mode.rawValue), \(row.ranks)" : "",
          cause.name,
          Format.fixed(cause.predicted * 1000, 2), Format.fixed(cause.measured * 1000, 2),
          Self.signedPercent((cause.measured - cause.predicted) / row.predicted),
        ])
      }
    }
    return """
      Predicted and measured, ms; deviations in per cent of the predicted iteration. Computing is \
      expected to take
      what it takes here on the least ranks, and waiting for stragglers the share of it that was \
      simulated.

      \(table(lines, leftAligned: 3))
      """
  }

  private static func signedPercent(_ share: Double) -> String {
    (share < 0 ? "-" : "+") + Format.percent(abs(share))
  }
}
