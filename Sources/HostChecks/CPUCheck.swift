import Distributed
import Foundation
import Support
import Tensors

/// The processor, its instruction sets, and the cores and threads of a rank.
enum CPUCheck {
  /// What OpenBLAS names its kernels with AVX2 or more.
  private static let wideOpenBLASCores = [
    "haswell", "zen", "excavator", "skylakex", "cooperlake", "sapphirerapids",
  ]

  /// - Parameters:
  ///   - kernels: the instruction set of the kernels for spikes.
  ///   - openBLASCore: the processor whose kernels OpenBLAS takes.
  static func findings(
    _ cpu: CPUDescription = .current, kernels: String = MathLibraries.kernelInstructionSet,
    openBLASCore: String = MathLibraries.openBLASCore, cores: [Int], threads: Int, quota: Double?
  ) -> [Finding] {
    var findings = [
      Finding(
        section: .cpu, topic: "model",
        text: "\(cpu.model), \(Format.counted(cpu.cores, "core"))"
          + (cpu.processors == cpu.cores
            ? "" : " with \(cpu.processors) hardware threads"),
        adviceIfDiffering: "The slowest host sets the pace of all: prefer hosts of one kind")
    ]
    let sets = Finding(
      section: .cpu, topic: "instruction sets",
      text: "spike kernels use \(kernels), tiles \(TileEngine.best.rawValue), oneDNN"
        + " \(MathLibraries.oneDNNInstructionSet), OpenBLAS kernels for \(openBLASCore); BF16 \(cpu.hasBF16 ? "present" : "missing")"
    )
    findings.append(
      kernels.hasPrefix("AVX")
        ? sets
        : sets.warning(
          "Training works but is slow: "
            + (ProcessInfo.processInfo.environment["SLTT_VECTORS"] == nil
              ? "a CPU with AVX2 or AVX-512 is faster" : "unset SLTT_VECTORS")))
    if kernels.hasPrefix("AVX"), !wideOpenBLASCores.contains(openBLASCore.lowercased()) {
      // It knows processors by their numbers, and takes newer ones for the oldest.
      findings.append(
        Finding(
          section: .cpu, topic: "kernels of OpenBLAS",
          text: "does not know this processor, and takes kernels for \(openBLASCore)"
        ).warning(
          "--backend openblas is slower than it could be: set OPENBLAS_CORETYPE="
            + (kernels.hasPrefix("AVX-512") ? "SkylakeX" : "Haswell")))
    }
    if let missing = TileEngine.missingAMX {
      findings.append(
        Finding(section: .cpu, topic: "matrix engine", text: missing).warning(
          "Training is slower than it could be: unset SLTT_VECTORS, or ask for a system whose kernel"
            + " (Linux 5.16 or later) and container let programs use AMX"))
    }
    let use = Finding(
      section: .cpu, topic: "threads",
      text: "\(Format.counted(threads, "thread")) on \(Format.counted(cores.count, "core"))"
        + " (\(Format.ranges(cores)))"
        + (quota.map { ", the control group allows the time of \(Format.fixed($0, 1))" } ?? ""))
    if threads > cores.count {
      findings.append(
        use.warning(
          "Lower --threads, or bind the rank to more cores: mpirun --map-by slot:PE=\(threads)"))
    } else if let quota, Double(threads) > quota {
      findings.append(use.warning("Lower --threads to \(max(1, Int(quota))), or raise the limit"))
    } else {
      findings.append(use)
    }
    if !MathLibraries.flushesDenormals {
      findings.append(
        Finding(section: .cpu, topic: "denormal numbers", text: "are computed with").warning(
          "Training without batch norm can be many times slower on this kind of CPU"))
    }
    return findings
  }
}
