import Foundation
import TestSupport
import Testing

/// The page that `report` makes of runs.
struct ReportTests {
  private let workspace: Workspace

  init() throws {
    workspace = try Workspace.withImages()
    try #require(
      try workspace.run("train", "--config", "small.yaml", "--output", "run").status == 0)
  }

  private func page(_ name: String = "report.html") throws -> XMLElements {
    try #require(XMLElements(workspace.text(name)))
  }

  @Test func aRunHasAPageThatNeedsNothingElse() throws {
    let report = try workspace.run("report", "run", "--mac-energy", "3")
    #expect(report.status == 0 && report.errors == "")
    #expect(report.output.hasSuffix("report.html: 1 run\n"))
    let page = try page()
    for text in [
      "Validation of the best checkpoint", "13 of images/val", "Accuracy after each time step",
      "Calibration", "Firing rates", "validation of epoch 2", "At 3.0 pJ",
      "Spikes are counted in the validation.", "Time and memory",
    ] {
      #expect(page.text.contains(text), "\(text)")
    }
    #expect(page.attributes["link"] == nil && page.attributes["script"] == nil)
    #expect(page.attributes["img"]!.allSatisfy { $0["src"]!.hasPrefix("data:") })
    // A page of its own is made anew, anything else is left alone.
    #expect(try workspace.run("report", "run", "--without-validation").status == 0)
    let refused = try workspace.run("report", "run", "--output", "small.yaml")
    #expect(refused.status == 1 && refused.errors.contains("small.yaml"))
    #expect(try workspace.text("small.yaml").hasPrefix("model:"))
  }

  /// Energy is then at the rates of training.
  @Test func aRunWithoutItsDataHasAPage() throws {
    try FileManager.default.removeItem(atPath: workspace.file("images"))
    let report = try workspace.run("report", "run", "--output", "own.html")
    #expect(report.status == 0)
    #expect(report.errors.contains("run is shown without validation: "))
    let page = try page("own.html")
    #expect(page.text.contains("Spikes are counted in the latest epoch's training."))
    #expect(page.text.contains("run could not be validated: images: there is no such file"))
    #expect(!page.text.contains("Calibration"))
  }

  @Test func dataMayBeElsewhereByNow() throws {
    try FileManager.default.moveItem(
      atPath: workspace.file("images"), toPath: workspace.file("moved"))
    let lost = try workspace.run("report", "run")
    #expect(lost.errors.contains("With --data DIR, the data may be elsewhere."), "\(lost.errors)")
    let found = try workspace.run("report", "run", "--data", "moved")
    #expect(found.status == 0 && found.errors == "")
    #expect(try page().text.contains("13 of moved/val"))
    let useless = try workspace.run("report", "run", "--data", "moved", "--without-validation")
    #expect(useless.status == 64)
  }

  @Test func energiesThatNoRunHasAUseForAreNamed() throws {
    let metrics = workspace.file("run/metrics.jsonl")
    try Data().write(to: URL(fileURLWithPath: metrics))
    let report = try workspace.run("report", "run", "--without-validation", "--ac-energy", "2")
    #expect(report.status == 0)
    #expect(report.errors.contains("--ac-energy is not used"), "\(report.errors)")
  }

  @Test func severalRunsStandBesideEachOther() throws {
    let second = try workspace.run(
      "train", "--config", "small.yaml", "--set", "method.timesteps=1", "--output", "other")
    try #require(second.status == 0)
    #expect(try workspace.run("report", "run", "other").status == 0)
    let text = try page().text
    #expect(text.contains("2 runs beside each other") && text.contains("method.timesteps"))
  }

  @Test func aRunOfOneTimestepHasItsCalibration() throws {
    let one = try workspace.run(
      "train", "--config", "small.yaml", "--set", "method.timesteps=1", "--output", "one")
    try #require(one.status == 0)
    #expect(try workspace.run("report", "one").status == 0)
    let text = try page().text
    #expect(text.contains("Calibration") && !text.contains("Accuracy after each time step"))
  }
}
