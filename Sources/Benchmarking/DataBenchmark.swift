import Configuration
import Datasets
import Foundation
import Support
import Training

/// How many samples a second the configured data give, by number of threads and stage of the work.
public struct DataBenchmark {
  /// Samples a second of every stage.
  public struct Row: Sendable {
    public let workers: Int
    public let rates: [(stage: LoadingBenchmark.Stage, rate: LoadingBenchmark.Rate)]
  }

  private let configuration: Configuration
  private let name: String
  private let samples: any SampleSource
  private let loading: LoadingBenchmark

  /// Opens the training split.
  ///
  /// - Throws: `ConfigurationError`, `DatasetError`.
  public init(_ configuration: Configuration) throws {
    self.configuration = configuration
    let data = try DataSplits(configuration)
    name = data.name
    samples = try data.openTraining()
    loading = LoadingBenchmark(
      try configuration.input(samples, isTraining: true),
      sampler: Sampler(
        sampleCount: samples.count, globalBatch: configuration.training.globalBatch,
        rank: 0, rankCount: 1, order: .shuffled(seed: configuration.training.seed)),
      mixing: configuration.data.mixing, seed: configuration.training.seed)
  }

  /// What is measured, for people.
  public var title: String {
    "\(samples.location): \(Format.counted(samples.count, "sample")), "
      + "\(configuration.data.imageSize)x\(configuration.data.imageSize) pixels, "
      + "batches of \(configuration.training.globalBatch)"
  }

  /// The heading of the table whose lines are `line`s.
  public var heading: String {
    (["threads"] + loading.stages.map { $0.rawValue + "/s" }).map(Self.column).joined()
  }

  /// Measures with a number of threads, each stage for so many seconds. Before that, the work is done
  /// for as long without being measured, so that files which fit in memory are there.
  public func measure(workers: Int, seconds: Double) throws -> Row {
    _ = try loading.rate(loading.stages[0], workers: workers, seconds: seconds)
    return Row(
      workers: workers,
      rates: try loading.stages.map {
        ($0, try loading.rate($0, workers: workers, seconds: seconds))
      })
  }

  /// A row of the table, for people.
  public func line(_ row: Row) -> String {
    let rates = row.rates.map { Format.rate($0.rate.perSecond) }
    return (["\(row.workers)"] + rates).map(Self.column).joined()
  }

  /// All that was measured, as one JSON object.
  public func json(_ rows: [Row]) -> String {
    func table(_ value: (LoadingBenchmark.Rate) -> Double) -> String {
      rows.map { row in
        let rates = row.rates.map {
          "\"\($0.stage.rawValue)\": \(Format.fixed(value($0.rate), 1))"
        }
        return "{\"workers\": \(row.workers), " + rates.joined(separator: ", ") + "}"
      }.joined(separator: ",\n")
    }
    return """
      {"samples": \(samples.count), "image_size": \(configuration.data.imageSize), \
      "batch": \(configuration.training.globalBatch), "images_per_second": [
      \(table(\.perSecond))
      ], "images_per_processor_second": [
      \(table(\.perProcessorSecond))
      ]}

      """
  }

  private static func column(_ text: String) -> String {
    String(repeating: " ", count: max(1, 14 - text.count)) + text
  }
}
