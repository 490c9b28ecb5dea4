import CSpikeKernels
import Foundation
import TestSupport
import Testing

/// The kernels as compiled for lesser processors than this one, which the other tests do not run here.
struct KernelVariantTests {
  private static let suites = [
    "EventConvolutionTests", "WinogradConvolutionTests", "TileConvolutionTests",
    "MembraneDynamicsTests",
    "ChannelSumsTests", "SpikeTensorTests", "SpikeTensorDenseTests", "PoolingTests",
    "DropoutMaskTests", "BFloat16BlockTests", "VariantInUseTests",
  ]

  @Test(arguments: ["avx2", "any"]) func lesserVariantsPassTheSameTests(_ vectors: String) throws {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let filter = "TensorsTests\\.(\(Self.suites.joined(separator: "|")))/"
    let run = try ProgramRun(
      [program, "--testing-library", "swift-testing", "--filter", filter],
      environment: ["SLTT_VECTORS": vectors], timeLimit: 300)
    #expect(run.status == 0, "\(run.errors.suffix(2000))")
    for suite in Self.suites {
      #expect((run.output + run.errors).contains("Suite \(suite) passed"), "\(suite)")
    }
  }
}

struct VariantInUseTests {
  /// At most what was asked for, which a processor may lack.
  @Test func isTheOneAskedFor() {
    let levels = ["any", "avx2", "avx512", "amx"]
    let used = levels.firstIndex(of: String(cString: sltt_vectors()))
    let wanted = ProcessInfo.processInfo.environment["SLTT_VECTORS"] ?? "amx"
    #expect(used! <= levels.firstIndex(of: wanted)!)
  }
}
