import Configuration
import Foundation
import SpikingNetworks
import TestSupport
import Testing

@testable import Tensors
@testable import Training

struct NetworkReportTests {
  private let missing = FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString)"

  private func lines(_ overrides: String...) throws -> [String] {
    let configuration = try Configuration(
      file: nil, overrides: ["model.classes=3", "data.path=\(missing)"] + overrides)
    return try NetworkReport(configuration).text.split(
      separator: "\n", omittingEmptySubsequences: false
    ).map { String($0) }
  }

  private func cells(_ line: String) -> [String] {
    line.split(separator: " ").map { String($0) }
  }

  @Test func hasARowForEveryLayerAndTheirTotals() throws {
    let lines = try lines("model.family=nf-resnet", "model.blocks=[1]", "model.width=4")
    #expect(
      lines[0] == "nf-resnet [1], width 4, input 28x28x3, 3 classes; LIF tau 1.1, triangle")
    #expect(
      cells(lines[2]) == ["layer", "kind", "output", "parameters", "MACs", "state", "tape"])
    let end = try #require(lines.firstIndex { $0.hasPrefix("total") })
    #expect(
      lines[3..<end].map { cells($0)[0] } == [
        "conv1", "maxpool", "layer1.0.sn1", "layer1.0.conv1", "layer1.0.sn2", "layer1.0.conv2",
        "avgpool", "fc",
      ])
    // 14x14 outputs of 7x7 kernels over 3 channels, to 4 channels with a bias and a gain each.
    #expect(lines[3].hasPrefix("conv1 ") && lines[3].contains("14x14x4"))
    #expect(cells(lines[3]).suffix(2) == ["596", "115,248"])
    // With two 3x3 convolutions, a skip gain, and the classifier.
    let count: Int = 596 + 2 * (144 + 8) + 1 + 15
    #expect(cells(lines[end])[1] == "\(count)")
    #expect(lines.allSatisfy { !$0.hasSuffix(" ") })
  }

  @Test func saysWhatComputesConvolutionsAtWhichDensity() throws {
    func rows(_ kernels: ConvolutionBackend.Kernels) throws -> [String] {
      let configuration = try Configuration(
        file: nil,
        overrides: ["model.classes=3", "model.family=vgg", "model.blocks=[2]", "model.width=64"])
      let backend = ConvolutionBackend(.openBLAS, kernels: kernels, costs: .zen5)
      let lines = try NetworkReport(configuration, backend: backend).text.split(separator: "\n")
      let header = try #require(lines.firstIndex { $0.hasPrefix("convolution ") })
      return lines[(header + 1)...].prefix(2).map { String($0) }
    }
    // The first one's input is images.
    #expect(cells(try rows(.auto)[0]) == ["layer1.0", "openblas", "openblas", "openblas"])
    let pattern =
      #/layer1\.4 +events to (\d\d\.\d) %, else winograd +winograd +events to (\d\d\.\d) %, else winograd/#
    let limits = try #require(try rows(.auto)[1].wholeMatch(of: pattern)).output
    #expect(Double(limits.1)! < Double(limits.2)!)
    #expect(cells(try rows(.events)[1]) == ["layer1.4", "events", "openblas", "events"])
    #expect(cells(try rows(.dense)[1]) == ["layer1.4", "openblas", "openblas", "openblas"])
  }

  @Test func comparesTheMethods() throws {
    let lines = try lines("method.timesteps=6", "training.global_batch=64", "optimizer.name=adamw")
    let header = try #require(lines.firstIndex { $0.hasPrefix("T = 6, batch 64") })
    #expect(lines[(header + 1)...].prefix(3).map { cells($0)[0] } == ["sltt", "sltt-k", "bptt"])
    #expect(Set(lines[header...].prefix(4).map(\.count)).count == 1)
  }

  @Test func saysWhyAMethodIsNotPossible() throws {
    let lines = try lines("model.normalization=online")
    let bptt = try #require(lines.first { $0.hasPrefix("bptt ") })
    #expect(cells(bptt).dropFirst().allSatisfy { $0 == "–" })
    let reasons = lines.filter { $0.hasPrefix("No ") }
    #expect(reasons.count == 2)
    #expect(reasons[0].hasPrefix("No bptt: ") && reasons[0].contains("model.normalization"))
    #expect(reasons[0].contains("online is not defined for method.name bptt"))
    #expect(reasons[1].hasPrefix("No rate: "))
  }

  @Test func needsNumbersThatMakeANetwork() throws {
    #expect(
      message { _ = try lines("data.image_size=6") }
        == "--set data.image_size=6: data.image_size 6 is too small for this network: layer 'pool' has a"
        + " window of 4x4, which does not fit into 2x2x64; it needs at least 13")
    #expect(
      message { _ = try lines("model.classes=null") }.hasPrefix(
        "\(missing): there is no such file"))
  }
}
