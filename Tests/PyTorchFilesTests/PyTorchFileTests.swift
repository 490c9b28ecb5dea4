import Foundation
import SafeTensors
import TestSupport
import Testing

@testable import PyTorchFiles

/// Files that PyTorch made, by `Fixtures/make.py`.
struct PyTorchFileTests {
  /// Of the checkpoints' convolution.
  private let weight = (0..<32).map { Float($0) / 8 }

  @Test func readsEveryKindOfTensor() throws {
    let file = try PyTorchFile(contentsOf: fixture("tensors.pth"))
    let counting = (0..<24).map { Float($0) }
    #expect(
      file.names == [
        "plain", "transposed", "strided", "shared", "expanded", "scalar", "empty", "double", "half",
        "bfloat16", "parameter", "count",
      ])
    #expect(try file.floats("plain", shape: [2, 3, 4]) == counting)
    let transposed = (0..<4).flatMap { k in (0..<6).map { counting[4 * $0 + k] } }
    #expect(try file.floats("transposed", shape: [4, 2, 3]) == transposed)
    #expect(try file.floats("strided", shape: [5]) == [1, 6, 11, 16, 21])
    #expect(try file.floats("shared", shape: [4]) == [20, 21, 22, 23])
    #expect(try file.floats("expanded", shape: [2, 3]) == [Float](repeating: 3, count: 6))
    #expect(try file.floats("scalar", shape: []) == [-1.5])
    #expect(try file.floats("empty", shape: [0, 3]) == [])
    #expect(try file.floats("double", shape: [2]) == [1e-3, -2])
    #expect(try file.floats("half", shape: [2]) == [0.5, -0x1p-24])
    #expect(try file.floats("bfloat16", shape: [2]) == [1, -0.15625])
    #expect(try file.floats("parameter", shape: [1]) == [7])
    #expect(
      message { _ = try file.floats("count") }
        .hasSuffix("cannot be read as floating-point numbers"))
    #expect(message { _ = try file.floats("other") }.hasSuffix("has no tensor 'other'"))
  }

  /// With an accuracy that is a tensor, too.
  @Test func aTensorBesideTheStateDictIsPassedOver() throws {
    let file = try PyTorchFile(contentsOf: fixture("beside.pth"))
    #expect(file.names.sorted() == ["fc.bias", "fc.weight"])
    #expect(try file.floats("fc.bias", shape: [2]) == [1, 2])
  }

  @Test(arguments: ["checkpoint.pth", "protocol4.pth"])
  func findsTheStateDictOfACheckpoint(name: String) throws {
    let file = try PyTorchFile(contentsOf: fixture(name))
    #expect(
      file.names.sorted() == [
        "module.bn.bias", "module.bn.num_batches_tracked", "module.bn.running_mean",
        "module.bn.running_var", "module.bn.weight", "module.conv.bias", "module.conv.weight",
        "module.fc.bias", "module.fc.weight",
      ])
    #expect(try file.floats("module.conv.weight", shape: [2, 1, 4, 4]) == weight)
  }

  /// Each says what is wrong and, where there is one, the line of Python that helps.
  @Test(arguments: [
    ("legacy.pth", ["is of PyTorch before 1.6", "python3 -c"]),
    (
      "namespace.pth",
      ["its pickle wants argparse.Namespace at byte", "weights_only=False)['net']"]
    ),
    ("module.pth", ["its pickle wants torch.nn.modules.container.Sequential at byte"]),
    ("two.pth", ["holds several state dicts ('first', 'second')", "['first'], 'weights.pth')"]),
    ("none.pth", ["holds no state dict: its dictionary has only 'epoch'"]),
    ("make.py", ["is no file of PyTorch's torch.save"]),
  ])
  func whatCannotBeReadIsAnError(name: String, parts: [String]) {
    let problem = message { _ = try PyTorchFile(contentsOf: fixture(name)) }
    #expect(problem.hasPrefix(fixture(name) + ": "))
    for part in parts { #expect(problem.contains(part), "\(problem)") }
  }

  @Test func aDamagedFileIsAnErrorOrHarmless() throws {
    let original = try [UInt8](Data(contentsOf: URL(fileURLWithPath: fixture("checkpoint.pth"))))
    let directory = try TemporaryDirectory()
    var random = SeededGenerator(seed: 16)
    for round in 0..<400 {
      var damaged = original
      if round.isMultiple(of: 4) {
        damaged.removeLast(Int.random(in: 1...original.count, using: &random))
      } else {
        let bit = Int.random(in: 0..<original.count * 8, using: &random)
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      }
      try directory.write(damaged, to: "damaged.pth")
      do {
        let file = try PyTorchFile(contentsOf: directory.file("damaged.pth"))
        // Checksums of the archive's files keep what they hold from being taken for something else.
        #expect(
          try file.floats("module.conv.weight", shape: [2, 1, 4, 4]) == weight)
      } catch {
        #expect(error is PyTorchFileError || error is SafeTensorsError, "\(error)")
      }
    }
  }

  @Test(.enabled(if: Python.has("torch"), "no Python with torch"))
  func readsWhatThisPyTorchSaves() throws {
    let directory = try TemporaryDirectory()
    let output = try Python.run(
      """
      import sys, torch
      torch.manual_seed(1)
      x = torch.randn(3, 4, 5)
      torch.save({"state_dict": {"x": x.permute(2, 0, 1)[1:]}}, sys.argv[1])
      print(*x.permute(2, 0, 1)[1:].reshape(-1).double().tolist())
      """, directory.file("state.pth"))
    let expected = output.split(whereSeparator: \.isWhitespace).map { Float(Double($0)!) }
    let file = try PyTorchFile(contentsOf: directory.file("state.pth"))
    #expect(try file.floats("x", shape: [4, 3, 4]) == expected)
  }
}

/// The path of a file beside these tests.
func fixture(_ name: String) -> String {
  Bundle.module.bundleURL.appendingPathComponent("Fixtures/\(name)").path
}
