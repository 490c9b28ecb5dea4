import Foundation

/// The memory of this node, as far as this process may use it. In bytes.
public struct NodeMemory: Equatable, Sendable {
  /// In the machine.
  public let total: Int
  /// That can be had without swapping: free, or holding files that can be read again.
  public let available: Int
  /// The least that a control group (a container, a SLURM job) around this process allows, if any does.
  public let limit: Int?

  /// As the kernel shows it now; `nil` where it does not.
  public static var current: NodeMemory? {
    (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)).flatMap {
      NodeMemory(information: $0, limit: ControlGroup.current.memoryLimit())
    }
  }

  /// - Parameter information: what `/proc/meminfo` holds.
  public init?(information: String, limit: Int?) {
    func bytes(_ label: String) -> Int? {
      let line = information.split(separator: "\n").first { $0.hasPrefix(label) }
      let fields = line?.split(separator: " ") ?? []
      return fields.count == 3 && fields[2] == "kB" ? Int(fields[1]).map { $0 * 1024 } : nil
    }
    guard let total = bytes("MemTotal:"), let available = bytes("MemAvailable:") else { return nil }
    self.total = total
    self.available = available
    // Version 1 writes a huge number for no limit.
    self.limit = limit.flatMap { $0 < total ? $0 : nil }
  }
}
