import Foundation

/// The processor as the kernel describes it.
public struct CPUDescription: Equatable {
  public let model: String
  /// Processors that the kernel sees: cores, or threads of cores.
  public let processors: Int
  /// Physical cores.
  public let cores: Int
  /// Whether it multiplies BF16 numbers.
  public let hasBF16: Bool

  public static var current: CPUDescription {
    // The kernel gives it page by page, which `String(contentsOfFile:)` takes for the end.
    let information = FileHandle(forReadingAtPath: "/proc/cpuinfo")?.readDataToEndOfFile()
    return CPUDescription(information: String(decoding: information ?? Data(), as: UTF8.self))
  }

  /// - Parameter information: what `/proc/cpuinfo` holds: a paragraph for each processor.
  public init(information: String) {
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
