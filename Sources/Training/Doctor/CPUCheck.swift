import Distributed
import Foundation
import Tensors

/// The processor as the kernel describes it.
struct CPUDescription: Equatable {
  let model: String
  /// Processors that the kernel sees: cores, or threads of cores.
  let processors: Int
  /// Physical cores.
  let cores: Int
  /// Whether it multiplies BF16 numbers.
  let hasBF16: Bool

  static var current: CPUDescription {
    // The kernel gives it page by page, which `String(contentsOfFile:)` takes for the end.
    let information = FileHandle(forReadingAtPath: "/proc/cpuinfo")?.readDataToEndOfFile()
    return CPUDescription(information: String(decoding: information ?? Data(), as: UTF8.self))
  }

  /// - Parameter information: what `/proc/cpuinfo` holds: a paragraph for each processor.
  init(information: String) {
    let lines = information.split(separator: "\n", omittingEmptySubsequences: false)
    var model: String?
    var processors = 0
    var cores: Set<[Substring]> = []
    var package: Substring = ""
    var hasBF16 = false
    for line in lines {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2 else { continue }
      let value = parts[1].drop { $0 == " " }
      switch parts[0].trimmingCharacters(in: .whitespaces) {
      case "processor": processors += 1
      case "model name": model = String(value)
      case "physical id": package = value
      case "core id": cores.insert([package, value])
      case "flags", "Features":
        hasBF16 = value.split(separator: " ").contains {
          ["avx512_bf16", "amx_bf16", "bf16"].contains($0)
        }
      default: break
      }
    }
    self.model = model ?? "unknown model"
    self.processors = processors
    self.cores = cores.isEmpty ? processors : cores.count
    self.hasBF16 = hasBF16
  }
}

/// The processor, its instruction sets, and the cores and threads of a rank.
enum CPUCheck {
  static func findings(
    _ cpu: CPUDescription = .current, cores: [Int], threads: Int, quota: Double?
  ) -> [Finding] {
    var findings = [
      Finding(
        section: .cpu, topic: "model",
        text: "\(cpu.model), \(Format.counted(cpu.cores, "core"))"
          + (cpu.processors == cpu.cores
            ? "" : " with \(cpu.processors) hardware threads"),
        adviceIfDiffering: "The slowest host sets the pace of all: prefer hosts of one kind")
    ]
    let kernels = MathLibraries.kernelInstructionSet
    let sets = Finding(
      section: .cpu, topic: "instruction sets",
      text: "spike kernels use \(kernels), oneDNN \(MathLibraries.oneDNNInstructionSet), OpenBLAS"
        + " kernels for \(MathLibraries.openBLASCore); BF16 \(cpu.hasBF16 ? "present" : "missing")")
    findings.append(
      kernels.hasPrefix("AVX")
        ? sets : sets.warning("Training works but is slow: a CPU with AVX2 or AVX-512 is faster"))
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
