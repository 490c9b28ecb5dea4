import Testing

@testable import SpikingNetworks

struct PlacedPartTests {
  private static func convolution(_ name: PartName? = nil) -> Part {
    .convolution(ConvolutionPart(name, channels: 2, kernel: 1))
  }

  private static let block: [Part] = [
    .neuron(NeuronPart("lif")),
    .residual(
      ResidualPart(
        branch: [convolution(), .neuron(NeuronPart()), convolution("last")],
        shortcut: [.convolution(ConvolutionPart(channels: 2, kernel: 1))], skipInit: 1)),
    convolution(),
  ]

  private static let parts: [Part] = [
    convolution("stem"),
    .repetition(RepetitionPart("stage", times: 2, block)),
    .sequence(
      SequencePart(
        nil, [.repetition(RepetitionPart(nil, times: 2, [convolution()])), convolution()])),
    convolution(),
  ]

  /// Layers and residuals, those of a residual after it.
  private func all(_ parts: [PlacedPart]) -> [PlacedPart] {
    parts.layers.flatMap { [$0] + all($0.children) }
  }

  @Test func pathsAreOfNamesOrNumbersInTheGroup() {
    #expect(
      all([PlacedPart](Self.parts)).map(\.path) == [
        "stem", "stage.0.lif", "stage.0", "stage.0.1", "stage.0.2", "stage.0.last", "stage.0.4",
        "stage.0.5", "stage.1.lif", "stage.1", "stage.1.1", "stage.1.2", "stage.1.last",
        "stage.1.4", "stage.1.5", "2.0.0", "2.1.0", "2.2", "3",
      ])
  }

  /// Each time that a part is repeated it is the same written part.
  @Test func numbersAreThoseOfTheWrittenParts() {
    #expect(
      all([PlacedPart](Self.parts)).map(\.number) == [
        0, 2, 3, 4, 5, 6, 7, 8, 2, 3, 4, 5, 6, 7, 8, 11, 11, 12, 13,
      ])
  }

  @Test func gainsBelongToTheirGroup() {
    let placed = [PlacedPart](Self.parts)
    #expect(placed.gains == [])
    #expect(
      placed[1].children.map(\.children.gains) == [
        ["stage.0.skipinit_gain"], ["stage.1.skipinit_gain"],
      ])
    #expect([PlacedPart](Self.block).gains == ["skipinit_gain"])
  }

  @Test func partsAreCountedBeforeTheyAreWrittenOut() {
    #expect(Self.parts.expandedCount == 1 + (1 + 2 * 7) + (1 + 3 + 1) + 1)
    let huge = Part.repetition(RepetitionPart(nil, times: .max, Self.parts))
    #expect([huge, huge].expandedCount > NetworkSpecification.mostParts)
  }

  @Test func namesHaveNoPoints() {
    for name in ["a", "conv1", "0", "A_b-c"] { #expect(PartName(name)?.description == name) }
    for name in ["", "a.b", "a b", "ä", "a\n"] { #expect(PartName(name) == nil) }
  }
}
