import Foundation
import TestSupport
import Testing

/// `Tests/reference` computes the reference results anew, and finds a file that does not hold.
@Suite(
  .enabled(
    if: Python.has("torch", "safetensors", "numpy"),
    "no Python with torch, safetensors and numpy"))
struct ReferenceProgramTests {
  private func runProgram(_ program: String, _ arguments: [String] = []) throws -> ProgramRun {
    let path = ReferenceCase.directory
      .appendingPathComponent("../../reference/\(program)").standardized.path
    return try Python.runProgram(path, arguments, timeLimit: 300)
  }

  private func check(_ files: [URL]) throws -> ProgramRun {
    try runProgram("make_fixtures.py", ["--check"] + files.map(\.path))
  }

  private func fixture(_ name: String) -> URL {
    ReferenceCase.directory.appendingPathComponent("\(name).safetensors")
  }

  @Test func reproducesEveryFamilyAndMethod() throws {
    let names = [
      "nfresnet-bottleneck.sltt", "resnet-clif.bptt", "resnet-deep.bptt", "resnet-ottt.ottt",
      "sew-resnet-if.sltt", "vgg11-osr-ots.sltt-k", "vgg11-rate.rate",
    ]
    let run = try check(names.map(fixture))
    #expect(run.status == 0, "\(run.errors)")
    #expect(run.output.split(separator: "\n").count == names.count)
  }

  @Test func holdsWhateverTheNumbers() throws {
    let run = try runProgram("test_identities.py")
    #expect(run.status == 0, "\(run.errors)")
  }

  @Test func findsAnAlteredNumber() throws {
    var bytes = try Data(contentsOf: fixture("resnet-deep.sltt"))
    // The highest bit of the last number's fraction.
    bytes[bytes.count - 2] ^= 0x08
    let directory = try TemporaryDirectory()
    let altered = URL(fileURLWithPath: directory.file("altered.safetensors"))
    try bytes.write(to: altered)
    let run = try check([altered, fixture("resnet-deep.sltt")])
    #expect(run.status == 1)
    #expect(run.errors.contains("altered.safetensors: param_after_2_sgd_steps."))
    #expect(run.output.contains("resnet-deep.sltt.safetensors"))
  }
}
