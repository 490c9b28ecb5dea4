import Configuration
import Foundation
import Testing

@testable import Datasets
@testable import SpikingNetworks
@testable import Training

struct EvaluationReportTests {
  private let operations: NetworkOperations

  init() throws {
    let network = try NetworkPlan(Configuration().networkSpecification(classes: 10))
    operations = NetworkOperations(network, timesteps: 4, isStatic: true, firingRate: 0.5)
  }

  /// Of each class as many samples as its number, of which all but one are taken for class 0.
  private func report(classes: Int) -> EvaluationReport {
    var metrics = EvaluationMetrics(
      nothing: IterationMetrics(), classes: classes, outputs: classes + 1, timesteps: 3)
    for label in 1..<classes {
      for sample in 0..<label {
        let predicted = sample == 0 ? label : 0
        metrics.add(
          Prediction(
            logitSums: (0...classes).map { $0 == predicted ? 1 : 0 }, timesteps: 3), label: label)
        metrics.overall.samples += 1
        metrics.overall.correct += predicted == label ? 1 : 0
      }
    }
    let names = (0..<classes).map { "c\($0)" } + ["output \(classes)"]
    return EvaluationReport(
      checkpoint: "x", data: "y/val", names: names, metrics: metrics, operations: operations,
      seconds: 1, notes: [SplitNote(title: "passed over", text: "1 file")])
  }

  private func classes(_ text: String) -> [String] {
    text.split(separator: "\n").filter { $0.hasPrefix("c") && $0.contains("%") }
      .map { String($0.prefix { $0 != " " }) }.filter { $0 != "calibration" }
  }

  @Test func showsTheClassesWithTheLowestAccuracy() {
    let text = report(classes: 8).text(showsAllClasses: false)
    #expect(classes(text) == ["c7", "c6", "c5", "c4", "c3"])
    #expect(text.hasSuffix("The lowest of 8 classes; --classes shows all."))
    #expect(text.contains("\npassed over          1 file\n"))
    #expect(text.contains("\nc7           7   14.29 %   100.00 %\n"))
  }

  @Test func aLossThatIsNotFiniteIsCalledThat() {
    var metrics = IterationMetrics()
    #expect(metrics.lossText == "0.0000")
    for loss in [Double.nan, .infinity] {
      metrics.loss = loss
      #expect(metrics.lossText == "not finite")
    }
  }

  @Test func showsAllClassesWhereAskedOrFew() {
    let all = report(classes: 8).text(showsAllClasses: true)
    #expect(classes(all) == (0..<8).map { "c\($0)" })
    // A class without samples has no accuracy.
    #expect(all.contains("\nc0           0         -     0.00 %\n"))
    #expect(classes(report(classes: 5).text(showsAllClasses: false)) == (0..<5).map { "c\($0)" })
  }

  @Test func writesTheConfusionAsATable() {
    #expect(
      report(classes: 3).confusion == """
        class,c0,c1,c2,output 3
        c0,0,0,0,0
        c1,0,1,0,0
        c2,1,0,1,0

        """)
  }

  @Test func writesEverythingAsJSON() throws {
    let report = report(classes: 3)
    let json = try #require(
      try JSONSerialization.jsonObject(with: report.json) as? [String: Any])
    #expect(
      Set(json.keys) == [
        "checkpoint", "data", "samples", "bad_samples", "loss", "accuracy", "top5", "firing_rate",
        "firing",
        "accuracy_by_timestep", "calibration_error", "calibration", "classes", "outputs",
        "confusion", "operations",
      ])
    #expect(json["samples"] as? Int == 3 && json["accuracy"] as? Double == 2.0 / 3)
    #expect(json["confusion"] as? [[Int]] == [[0, 0, 0, 0], [0, 1, 0, 0], [1, 0, 1, 0]])
    let classes = try #require(json["classes"] as? [[String: Any]])
    #expect(classes.map { $0["accuracy"] as? Double } == [nil, 1, 0.5])
    #expect(classes.map { $0["precision"] as? Double } == [0, 1, 1])
    #expect((json["calibration"] as? [Any])?.count == 15)
  }
}
