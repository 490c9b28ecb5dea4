import Configuration
import Datasets
import Foundation
import Support

/// What `evaluate` found.
public struct EvaluationReport {
  /// The model's file.
  let checkpoint: String
  /// The split.
  let data: String
  /// Class names by output of the network, of which those of the data come first.
  let names: [String]
  let metrics: EvaluationMetrics
  let operations: NetworkOperations
  let seconds: Double
  let notes: [SplitNote]

  /// Classes that the text shows where it does not show all.
  private static let fewClasses = 5

  /// For people.
  ///
  /// - Parameters:
  ///   - showsAllClasses: whether there is a line for each class; else for those with the lowest accuracy.
  ///   - energy: of operations, where they are to be told.
  public func text(showsAllClasses: Bool, energy: OperationEnergy? = nil) -> String {
    let overall = metrics.overall
    let lines = """
      samples              \(Format.count(Int(overall.samples))) of \(data)
      validation loss      \(overall.lossText)
      validation accuracy  \(Format.percent(overall.accuracy, digits: 2))
      validation top-5     \(Format.percent(overall.top5, digits: 2))
      firing rate          \(Format.percent(overall.firingRate))\(silent)
      speed                \(Format.rate(overall.samples / seconds)) images/s
      calibration error    \(Format.percent(metrics.calibration.error, digits: 2))
      accuracy by step     \(accuracyBySteps)
      """
    let bad =
      overall.replaced > 0
      ? "\nbad samples          \(Format.count(Int(overall.replaced))), in whose places neighbours counted"
      : ""
    let notes = notes.map { "\n" + $0.title.padded(to: 21) + $0.text }.joined()
    return lines + bad + notes + "\n\n" + classTable(showsAllClasses: showsAllClasses)
      + (energy.map { "\n\n" + operations.text($0) } ?? "")
  }

  /// The neurons that no sample made fire.
  private var silent: String {
    guard let layers = metrics.overall.firing?.layers, !layers.isEmpty else { return "" }
    let (silent, all) = layers.reduce((0, 0)) { ($0.0 + ($1.silent ?? 0), $0.1 + $1.neurons) }
    return "; \(Format.percent(Double(silent) / Double(all))) of the neurons never fired"
  }

  /// After the first time step, and each time that there are twice as many, to the last.
  private var accuracyBySteps: String {
    let all = metrics.accuracyAfter
    return all.indices.filter { ($0 + 1) & $0 == 0 || $0 == all.count - 1 }
      .map { "\($0 + 1): \(Format.percent(all[$0], digits: 2))" }.joined(separator: ", ")
  }

  private func classTable(showsAllClasses: Bool) -> String {
    let classes = self.classes
    let isShort = !showsAllClasses && classes.count > Self.fewClasses
    var shown = Array(classes.indices)
    if isShort {
      func accuracy(_ label: Int) -> Double { classes[label].accuracy ?? 1 }
      shown.sort { (accuracy($0), $0) < (accuracy($1), $1) }
      shown = Array(shown.prefix(Self.fewClasses))
    }
    func percent(_ share: Double?) -> String { share.map { Format.percent($0, digits: 2) } ?? "-" }
    let rows = shown.map { label in
      let one = classes[label]
      return [
        one.name, Format.count(one.samples), percent(one.accuracy), percent(one.precision),
      ]
    }
    return table([["class", "samples", "accuracy", "precision"]] + rows, leftAligned: 1)
      + (isShort
        ? "\n\nThe lowest of \(Format.counted(classes.count, "class")); --classes shows all." : "")
  }

  /// Samples by class, a line each, and predicted class, a column each.
  public var confusion: String {
    csvLine(["class"] + names)
      + metrics.samples.indices.map { label in
        csvLine([names[label]] + metrics.confusion.row(label).map(String.init))
      }.joined()
  }

  /// Everything, as JSON.
  public var json: Foundation.Data {
    let encoder = JSONEncoder.oneLine
    encoder.keyEncodingStrategy = .convertToSnakeCase
    guard let data = try? encoder.encode(record) else {
      preconditionFailure("finite numbers and texts can always be encoded")
    }
    return data + Data("\n".utf8)
  }

  private var classes: [EvaluationRecord.Class] {
    metrics.samples.indices.map { label in
      .init(
        name: names[label], samples: metrics.samples[label],
        correct: metrics.confusion[label, label],
        predicted: metrics.confusion.predicted[label])
    }
  }

  /// Everything, as values.
  public var record: EvaluationRecord {
    let overall = metrics.overall
    return EvaluationRecord(
      checkpoint: checkpoint, data: data, samples: Int(overall.samples),
      badSamples: Int(overall.replaced),
      loss: overall.loss.isFinite ? overall.loss : nil, accuracy: overall.accuracy,
      top5: overall.top5, firingRate: overall.firingRate,
      firing: overall.firing.map { firing in
        firing.layers.map {
          .init(
            layer: $0.name, neurons: $0.neurons, silent: $0.silent, rates: firing.rates(of: $0))
        }
      } ?? [],
      accuracyByTimestep: metrics.accuracyAfter, calibrationError: metrics.calibration.error,
      calibration: metrics.calibration.bins.map {
        .init(samples: $0.samples, accuracy: $0.accuracy, confidence: $0.confidence)
      },
      classes: classes, outputs: names,
      confusion: metrics.confusion, operations: operations)
  }
}

extension IterationMetrics {
  /// For people.
  var lossText: String { loss.isFinite ? Format.fixed(loss, 4) : "not finite" }
}
