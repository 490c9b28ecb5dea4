import Configuration
import Support
import Training

/// Training on growing numbers of ranks, and what to expect of many more.
public struct ScalingReport: PlottedReport {
  /// How the global batch grows with the ranks.
  public enum Mode: String, CaseIterable, Sendable, Codable {
    /// Each rank keeps the configured global batch.
    case weak
    /// All ranks together keep it.
    case strong

    /// The global batch on so many ranks.
    public func globalBatch(_ configured: Int, ranks: Int) -> Int {
      self == .weak ? configured * ranks : configured
    }
  }

  struct Series: Encodable {
    let mode: Mode
    /// Of each number of ranks, from the round in which its iterations took the median time.
    let measurements: [ScalingMeasurement]
    /// Of each round the efficiency with each number of ranks.
    let efficiencies: [[Double]]

    /// - Parameter rounds: in each, measurements of growing numbers of ranks, always the same.
    init(_ mode: Mode, _ rounds: [[ScalingMeasurement]]) {
      self.mode = mode
      measurements = rounds[0].indices.map { index in
        let byTime = rounds.map { $0[index] }.sorted { $0.iterationSeconds < $1.iterationSeconds }
        return byTime[(byTime.count - 1) / 2]
      }
      efficiencies = rounds.map { round in
        round.map { Self.efficiency($0, against: round[0]) }
      }
    }

    func efficiency(_ measurement: ScalingMeasurement) -> Double {
      Self.efficiency(measurement, against: measurements[0])
    }

    /// Images a second of a rank against those of the least ranks.
    private static func efficiency(
      _ measurement: ScalingMeasurement, against first: ScalingMeasurement
    ) -> Double {
      measurement.imagesPerSecond / Double(measurement.ranks)
        / (first.imagesPerSecond / Double(first.ranks))
    }
  }

  /// What a network of ranks would do.
  struct Prediction: Encodable {
    let network: String
    let model: ScalingModel
    let ranks: [Int]
    let weakEfficiency: [Double]
  }

  let network: String
  /// What was trained on.
  let source: String
  let series: [Series]
  /// Fitted to the all-reduces by themselves; nil where only one rank was measured.
  let model: ScalingModel?
  /// An iteration of the least ranks, without communication and waiting for data.
  let stepSeconds: Double
  let predictions: [Prediction]

  private static let predictedRanks = (0...12).map { 1 << $0 }
  private static let gigabits = [1, 10, 25, 100]

  /// - Parameters:
  ///   - measurements: by mode, in each of its rounds of growing numbers of ranks.
  ///   - latency: of the networks that are predicted, in seconds.
  public init(
    _ measurements: [(Mode, [[ScalingMeasurement]])], latency: Double
  ) {
    series = measurements.map { Series($0, $1) }
    let all = series.flatMap(\.measurements)
    let first = all[0]
    (network, source) = (first.network, first.source)
    let (length, step, wire) = (first.chunkLength, first.computeSeconds, first.wire)
    model = ScalingModel.fit(
      all.flatMap { measurement in
        measurement.allReduces.map {
          ScalingModel.Sample(
            ranks: measurement.ranks, bytes: wire.bytes * $0.floats,
            chunks: chunks($0.floats, length), seconds: $0.seconds)
        }
      }, wire: wire)
    stepSeconds = step
    let (floats, bytes) = (first.reducedFloats, first.reducedBytes)
    func predict(_ name: String, _ model: ScalingModel) -> Prediction {
      Prediction(
        network: name, model: model, ranks: Self.predictedRanks,
        weakEfficiency: Self.predictedRanks.map {
          model.weakEfficiency(
            ranks: $0, bytes: bytes, chunks: chunks(floats, length), stepSeconds: step)
        })
    }
    // Adding up takes its time, too: no network makes that faster than it was here.
    let fastest = model?.bandwidth ?? .infinity
    predictions =
      (model.map { [predict("this machine", $0)] } ?? [])
      + Self.gigabits.map {
        predict(
          "\($0) Gb/s",
          ScalingModel(
            latency: latency, bandwidth: min(Double($0) * 1e9 / 8, fastest), wire: wire))
      }
  }
}

private func chunks(_ floats: Int, _ length: Int) -> Int { (floats + length - 1) / length }

extension ScalingReport {
  /// For people.
  public var text: String {
    let first = series[0].measurements[0]
    return """
      \(network)
      \(source)
      \(Format.counted(first.threads, "thread")) a rank; all-reduce of \
      \(Format.bytes(first.reducedBytes)) an iteration: \
      \(first.algorithm) of \(Format.count(first.chunkLength)) floats

      \(series.map(scalingTable).joined(separator: "\n\n"))

      Times in ms, of the round with the median iteration; lowest and highest efficiency of
      \(Format.counted(series[0].efficiencies.count, "round")). Communication is what the last rank spends in the all-reduce, and exposed its share
      of the iteration; hidden is what goes on during the backward pass (distributed.overlap), where
      ranks may also wait for each other. Stragglers are what the others wait for the last one, on
      average.\(warning(of: series.flatMap(\.measurements).compactMap(\.firingRate)))

      \(bindings)

      \(prediction)
      """
  }

  private func scalingTable(_ series: Series) -> String {
    var rows = [
      [
        "\(series.mode.rawValue) scaling, ranks", "batch", "images/s", "of a rank computing",
        "efficiency", "lowest", "highest", "iteration", "data wait", "compute", "communication",
        "exposed", "hidden", "stragglers", "firing rate",
      ]
    ]
    rows += series.measurements.enumerated().map { index, measurement in
      let rates = measurement.computingRates
      let efficiencies = series.efficiencies.map { $0[index] }
      return [
        "\(measurement.ranks)", "\(measurement.globalBatch)",
        Format.rate(measurement.imagesPerSecond),
        [rates.min()!, median(rates), rates.max()!].map(Format.rate).joined(separator: " / "),
        Format.percent(series.efficiency(measurement)), Format.percent(efficiencies.min()!),
        Format.percent(efficiencies.max()!),
        milliseconds(measurement.iterationSeconds), milliseconds(measurement.dataWaitSeconds),
        milliseconds(measurement.computeSeconds),
        milliseconds(measurement.communicationSeconds),
        Format.percent(measurement.communicationSeconds / measurement.iterationSeconds),
        milliseconds(measurement.hiddenSeconds), milliseconds(measurement.waitSeconds),
        measurement.firingRate.map { Format.percent($0) } ?? "",
      ]
    }
    return table(rows, leftAligned: 0)
  }

  private var bindings: String {
    let largest = series.flatMap(\.measurements).max { $0.ranks < $1.ranks }!
    return largest.bindings.enumerated().map { "rank \($0) on \($1)" }.joined(separator: "\n")
  }

  private var prediction: String {
    var rows = [["ranks"] + predictions.map(\.network)]
    rows += predictions[0].ranks.indices.map { index in
      ["\(predictions[0].ranks[index])"]
        + predictions.map { Format.percent($0.weakEfficiency[index]) }
    }
    let fitted =
      model.map {
        "fitted here: latency \(Format.fixed($0.latency * 1e6, 1)) µs,"
          + " \(Format.fixed($0.bandwidth / 1e9, 2)) GB/s; "
      } ?? ""
    let messages =
      switch predictions.last!.model.wire {
      case .float32: "2 log2(n)"
      case .bfloat16: "(n - 1 + log2(n))"
      }
    return """
      Predicted efficiency of weak scaling, one rank a node, from a step of \
      \(milliseconds(stepSeconds)) ms and an all-reduce of
      \(messages) chunks latency + 2 (n - 1) / n bytes / bandwidth seconds
      (\(fitted)networks: latency \
      \(Format.fixed(predictions.last!.model.latency * 1e6, 1)) µs, no faster than here), without \
      stragglers and overlap:

      \(table(rows, leftAligned: 0))
      """
  }

  /// Efficiency against ranks: measured points, predicted lines.
  public var plot: LinePlot {
    let lines = predictions.enumerated().map { index, prediction in
      LinePlot.Series(
        prediction.network,
        zip(prediction.ranks, prediction.weakEfficiency).map {
          LinePlot.Point(Double($0), 100 * $1)
        }, .line, color: index + 1)
    }
    let points = series.filter { $0.mode == .weak }.map { series in
      LinePlot.Series(
        "measured",
        series.measurements.map {
          LinePlot.Point(Double($0.ranks), 100 * series.efficiency($0))
        }, .points, color: 0)
    }
    let weak = series.first { $0.mode == .weak }?.measurements[0]
    let batch = weak.map { ", batch \($0.globalBatch / $0.ranks) a rank" } ?? ""
    return LinePlot(
      title: "Weak scaling" + batch, xLabel: "ranks",
      yLabel: "efficiency (%)", hasLogarithmicX: true, series: points + lines)
  }

  private func milliseconds(_ seconds: Double) -> String { Format.fixed(seconds * 1000, 2) }
}
