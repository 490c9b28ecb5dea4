import Configuration
import Foundation
import Support
import TestSupport
import Testing
import Training

@testable import Reporting

struct RunsReportTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// A run of two epochs with two layers of neurons.
  private func history(
    _ name: String, tau: Double = 1.1, rates: [[Double]] = [[0.1, 0.25], [0.5, 0]]
  ) throws -> RunHistory {
    var configuration = Configuration()
    try configuration.apply(overrides: ["neuron.tau=\(tau)", "training.epochs=2"])
    try directory.write(configuration.yaml, to: "\(name)/config.yaml")
    let layers = rates.enumerated().map { index, rates in
      "{\"layer\": \"layer\(index).<sn>\", \"rates\": \(rates), \"silent\": 0.125}"
    }.joined(separator: ", ")
    let lines = (1...2).map { epoch in
      """
      {"kind": "epoch", "epoch": \(epoch), "iteration": \(10 * epoch), "samples": \(100 * epoch), \
      "train_loss": \(2.0 / Double(epoch)), "train_accuracy": 0.25, "validation_loss": 2, \
      "validation_accuracy": \(0.375 / Double(epoch)), "learning_rate": 0.1, "firing_rate": 0.2, \
      "images_per_second": 50, "data_wait": 0.25, "seconds": \(5 * epoch), \
      "peak_rss_bytes": 1048576, "firing_rates": [\(layers)], \
      "expected_bytes": {"weights": 98304, "tape": 294912}}
      """
    }
    try directory.write(
      lines.joined(separator: "\n") + "\n{\"kind\": \"ep", to: "\(name)/metrics.jsonl")
    return try RunHistory(run: directory.file(name))
  }

  @Test func onePageShowsWhatARunHasMeasured() throws {
    let page = try #require(XMLElements(RunsReport([(history("own"), .leftOut)]).html))
    // Loss, accuracy, firing rate, learning rate, speed; rates by time step and by epoch.
    #expect(page.attributes["svg"]?.count == 7)
    // The best accuracy is that of the first epoch.
    for text in ["Run own", "37.50 %", "18.75 %", "2/2", "1.0 MiB"] {
      #expect(page.text.contains(text), "\(text)")
    }
    // 200 images at 50 a second, a quarter of it waiting; and 10 s in all.
    let cells = page.text.replacing("\n", with: "")
    #expect(cells.contains("training3.00 s30.0 %"))
    #expect(cells.contains("waiting for data1.00 s10.0 %"))
    #expect(cells.contains("6.00 s60.0 %"))
    #expect(
      cells.contains("weights96.0 KiB25.0 %") && cells.contains("tape, for the backward pass288"))
    #expect(cells.contains("384.0 KiB expected in allpeak memory of rank 0: 1.0 MiB"))
    #expect(page.text.contains("layer1.<sn>, 1: 50.0 %") && page.text.contains("12.5 %"))
  }

  @Test func severalRunsAreToldApartAndCompared() throws {
    let page = try #require(
      XMLElements(
        RunsReport([(history("a/x"), .leftOut), (history("b/x", tau: 2), .leftOut)]).html))
    #expect(page.text.contains("2 runs beside each other"))
    #expect(page.text.contains("a/x") && page.text.contains("b/x"))
    #expect(page.text.replacing("\n", with: "").contains("neuron.tau1.12"))
  }

  @Test func aRunThatHasJustBegunHasAPage() throws {
    try directory.write(Configuration().yaml, to: "new/config.yaml")
    let history = try RunHistory(run: directory.file("new"))
    #expect(XMLElements(RunsReport([(history, .leftOut)]).html) != nil)
    #expect(!history.isComplete)
  }

  @Test func namesTellRunsApart() {
    #expect(RunsReport.names(["runs/x"]) == ["x"])
    #expect(RunsReport.names(["a/b/x", "a/c/x/", "a/c/y"]) == ["b/x", "c/x", "c/y"])
    #expect(RunsReport.names(["a/x", "a/x"]).count == 2)
  }

  @Test func manyPointsAreAveraged() {
    let points = (0..<1000).map { LinePlot.Point(Double($0), Double(2 * $0)) }
    let thinned = CurvesSection.thinned(points)
    #expect(thinned.map(\.x) == (0..<250).map { Double(4 * $0) + 1.5 })
    #expect(thinned.map(\.y) == (0..<250).map { Double(8 * $0) + 3 })
  }
}
