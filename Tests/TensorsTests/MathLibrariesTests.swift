import Tensors
import Testing

struct MathLibrariesTests {
  @Test func librariesTellTheirVersions() {
    #expect(MathLibraries.oneDNNVersion.wholeMatch(of: /\d+\.\d+\.\d+/) != nil)
    #expect(MathLibraries.openBLASConfiguration.firstMatch(of: /OpenBLAS \d+\.\d+/) != nil)
    #expect(!MathLibraries.openBLASCore.isEmpty && !MathLibraries.oneDNNInstructionSet.isEmpty)
    let sets = ["AVX-512 with VBMI2", "AVX-512", "AVX2", "the baseline"]
    #expect(sets.contains(MathLibraries.kernelInstructionSet))
  }
}
