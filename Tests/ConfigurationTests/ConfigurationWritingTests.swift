import Foundation
import Testing

@testable import Configuration

struct ConfigurationWritingTests {
  @Test(arguments: [
    [],
    ["model.architecture=vgg16", "model.classes=7", "data.workers=3"],
    ["neuron.tau=inf", "optimizer.weight_decay=1e-5", "optimizer.learning_rate=1.5e-7"],
    ["method.name=sltt-k", "method.k=2", "training.seed=18446744073709551615"],
    ["data.path=/data/a: \"b\" # c\\ü", "data.train=null", "data.validation=3"],
    ["checkpoint.every_epochs=null", "checkpoint.every_minutes=null"],
    ["neuron.surrogate_width=0.1", "optimizer.nesterov=true", "model.blocks=[3, 4]"],
  ])
  func readsBackToTheSame(overrides: [String]) throws {
    let configuration = try Configuration(file: nil, overrides: overrides)
    var copy = Configuration()
    try copy.apply(yaml: configuration.yaml, from: "config.yaml")
    try copy.validate()
    #expect(copy == configuration)
    #expect(copy.yaml == configuration.yaml)
    #expect((copy == Configuration()) == overrides.isEmpty)
  }

  @Test func writesOneCommentedLineAKey() {
    let lines = Configuration().yaml.split(separator: "\n")
    #expect(lines.count == Configuration.keys.count + Configuration.sections.count)
    #expect(lines[0] == "model:")
    #expect(
      lines[1]
        == "  # architecture:               # A published network; or else give family and blocks.")
    #expect(lines[2].hasPrefix("  family: resnet  "))
    #expect(lines[3].hasPrefix("  blocks: [1, 1, 1]  "))
    #expect(lines.allSatisfy { $0.count <= 120 })
  }

  /// YAML 1.1 takes a number without a point but with an exponent for text.
  @Test func writesNumbersThatOtherReadersTakeForNumbers() {
    #expect((1e-5).yaml == "1.0e-05")
    #expect((2.5e-7).yaml == "2.5e-07")
    #expect((0.1).yaml == "0.1")
  }

  @Test func listsValuesDefaultsAndMeaning() {
    #expect(
      Configuration.help.contains(
        """
        method.name: one of sltt, sltt-k, bptt, ottt, rate (default: sltt)
            How gradients are computed: SLTT, SLTT-K, BPTT (the baseline), OTTT or firing rates.

        """))
    #expect(
      Configuration.help.contains("method.k: an integer from 1 to 10000 (default: not set)\n"))
  }

  /// With `SLTT_WRITE_REFERENCE=1` the page is brought up to date instead.
  @Test func theReferencePageListsTheseKeys() throws {
    let path = URL(fileURLWithPath: #filePath)
      .appendingPathComponent("../../../docs/configuration.md").standardized.path
    let page = try String(contentsOfFile: path, encoding: .utf8)
    let tables = try #require(page.firstRange(of: "\n## ")).lowerBound
    let expected = page[..<tables] + "\n" + Configuration.reference
    if ProcessInfo.processInfo.environment["SLTT_WRITE_REFERENCE"] == "1" {
      try String(expected).write(toFile: path, atomically: true, encoding: .utf8)
    } else {
      #expect(page == expected)
    }
  }
}
