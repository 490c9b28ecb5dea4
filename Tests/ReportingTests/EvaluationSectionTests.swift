import Configuration
import Foundation
import TestSupport
import Testing

@testable import Reporting
@testable import SpikingNetworks
@testable import Training

struct EvaluationSectionTests {
  /// The section of one run whose pictures are of recordings, or of images.
  private func section(showsEvents: Bool, label: Int, prediction: Int) throws -> XMLElements {
    let names = ["a <b>", "c"]
    var confusion = Confusion(classes: 2, outputs: 2)
    confusion.add(label: 0, predicted: 0, count: 2)
    confusion.add(label: 0, predicted: 1)
    let evaluation = EvaluationRecord(
      checkpoint: "x", data: "val", samples: 3, badSamples: 0, loss: nil, accuracy: 2.0 / 3,
      top5: 1,
      firingRate: 0.1, firing: [], accuracyByTimestep: [0.5], calibrationError: 0.25,
      calibration: [],
      classes: [
        .init(name: names[0], samples: 3, correct: 2, predicted: 2),
        .init(name: names[1], samples: 0, correct: 0, predicted: 1),
      ], outputs: names, confusion: confusion,
      operations: NetworkOperations(
        try NetworkPlan(
          NetworkSpecification(family: .resNet, blocks: [1], width: 4, classes: 2, imageSize: 8)),
        timesteps: 1, isStatic: true, firingRate: 0))
    let worst = WorstSamples.Sample(
      picture: SamplePicture(png: Data([1, 2, 3]), isOfEvents: showsEvents), label: label,
      prediction: prediction, confidence: 0.75, probability: 0.25)
    let configuration = try TemporaryDirectory()
    try configuration.write(Configuration().yaml, to: "config.yaml")
    let entry = RunsReport.Entry(
      name: "run", history: try RunHistory(run: configuration.path),
      validation: .found(Findings(evaluation: evaluation, worst: [worst])))
    return try #require(XMLElements("<page>" + EvaluationSection([entry]).html + "</page>"))
  }

  @Test func picturesSayWhatTheyShow() throws {
    let image = try section(showsEvents: false, label: 0, prediction: 1)
    #expect(image.attributes["img"]?.map { $0["alt"] } == ["an image of class a <b>"])
    #expect(!image.text.contains("recording"))
    let events = try section(showsEvents: true, label: 1, prediction: 0)
    #expect(events.attributes["img"]?.map { $0["alt"] } == ["the events of a recording of class c"])
    #expect(events.text.contains("sums up all events of a recording: red where it gets brighter"))
  }

  @Test func aRightPredictionIsNotMarkedAsWrong() throws {
    func marks(_ page: XMLElements) -> [String] {
      page.attributes["span"]!.compactMap { $0["class"] }.filter { $0 != "bar" }
    }
    let wrong = try section(showsEvents: false, label: 0, prediction: 1)
    #expect(marks(wrong) == ["wrong"] && wrong.text.contains("→ c 75.0 %"))
    #expect(try marks(section(showsEvents: false, label: 0, prediction: 0)) == ["right"])
  }

  /// Neither a loss that is not finite, nor the share of no samples.
  @Test func whatIsNotThereHasNoNumber() throws {
    let text = try section(showsEvents: false, label: 0, prediction: 1).text
      .replacing("\n", with: "")
    #expect(text.contains("not finite") && text.contains("c–0.0 %0"))
    #expect(text.contains("a <b>, c: 33.3 %") && !text.contains("c, a <b>: "))
  }
}
