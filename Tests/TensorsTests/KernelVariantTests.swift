import CSpikeKernels
import Foundation
import TestSupport
import Testing

/// The kernels as compiled for lesser processors than this one, which the other tests do not run here.
struct KernelVariantTests {
  private static let suites = [
    "EventConvolutionTests", "WinogradConvolutionTests", "TileConvolutionTests",
    "MembraneDynamicsTests", "FiringAveragesTests", "ChannelSumsTests", "SpikeTensorTests",
    "SpikeTensorDenseTests", "SpikesTests", "PoolingTests", "DropoutMaskTests",
    "BFloat16BlockTests", "VariantInUseTests",
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

  /// Memory is divided among as many threads as there are.
  @Test func fewerThreadsThanAskedForComputeTheSame() throws {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let run = try ProgramRun(
      [
        program, "--testing-library", "swift-testing", "--filter",
        "TensorsTests\\.(ThreadCountTests|EventConvolutionTests)/",
      ], environment: ["OMP_THREAD_LIMIT": "3"], timeLimit: 300)
    #expect(run.status == 0, "\(run.errors.suffix(2000))")
  }

  /// Neither what is no level nor one that the processor lacks.
  @Test(arguments: ["amx", "AVX2", ""]) func otherValuesChangeNothing(_ vectors: String) throws {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let run = try ProgramRun(
      [
        program, "--testing-library", "swift-testing", "--filter",
        "TensorsTests\\.VariantInUseTests/",
      ], environment: ["SLTT_VECTORS": vectors], timeLimit: 60)
    #expect(run.status == 0, "\(run.errors.suffix(2000))")
  }
}

struct VariantInUseTests {
  private let levels = ["any", "avx2", "avx512", "amx"]
  /// Of the levels, the one that the environment asks for.
  private let wanted = ProcessInfo.processInfo.environment["SLTT_VECTORS"]

  /// At most what was asked for, which a processor may lack.
  @Test func isTheOneAskedFor() throws {
    let used = try #require(levels.firstIndex(of: String(cString: sltt_vectors())))
    let most = wanted.flatMap { levels.firstIndex(of: $0) } ?? levels.count - 1
    #expect(used <= most)
    let cpu = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
    // Of processors that have it, those without the rest of what the level needs are rare.
    for (level, flag) in [(1, " avx2 "), (2, " avx512vl ")] where cpu.contains(flag) {
      #expect(used >= min(level, most))
    }
  }
}
