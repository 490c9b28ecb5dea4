import Foundation

/// How many threads a rank should use, so that the ranks on a node together use each core once.
public enum ProcessorBudget {
  /// The processors' worth of time that the control group allows, if it limits that.
  public static var quota: Double? { ControlGroup.current.processorQuota() }

  /// The numbers of the cores that a process may run on.
  ///
  /// - Parameter process: its id; this process if left out.
  public static func cores(ofProcess process: Int32? = nil) -> [Int] {
    let mask = affinityMask(ofProcess: process)
    return (0..<mask.count * 64).filter { mask.containsCore($0) }
  }

  /// The number of threads for this rank (a collective among the ranks on a node): the cores it may run
  /// on, each divided among the ranks that may run on it too, and no more than its share of the
  /// control group's CPU quota. At least 1.
  ///
  /// Call it before anything pins threads, since it reads the affinity mask of the main thread.
  public static func threads(_ communicator: any Communicator) throws -> Int {
    let masks = try communicator.allGatherOnNode(affinityMask())
    return threads(
      masks: masks, localRank: communicator.localRank,
      quota: quota)
  }

  /// The same from given facts.
  ///
  /// - Parameters:
  ///   - masks: The affinity mask of every rank on the node: bit `i % 64` of word `i / 64` says whether
  ///     the rank may run on core `i`.
  ///   - localRank: The rank that asks, an index of `masks`.
  ///   - quota: The processors' worth of time that the ranks of the node may use together, if limited.
  static func threads(masks: [[UInt64]], localRank: Int, quota: Double?) -> Int {
    var share = 0.0
    for core in 0..<masks[localRank].count * 64 where masks[localRank].containsCore(core) {
      let ranks = masks.count { $0.containsCore(core) }
      share += 1 / Double(ranks)
    }
    if let quota {
      share = min(share, quota / Double(masks.count))
    }
    // Ten tenths must make a whole core.
    return max(1, Int(share + 1e-9))
  }
}

/// The cores that the main thread of a process, this one by default, may run on. Its length is the same
/// for all processes of a node.
private func affinityMask(ofProcess process: Int32? = nil) -> [UInt64] {
  // Swift's Glibc module does not export `sched_getaffinity`; the kernel shows the same mask here.
  let path = "/proc/\(process.map(String.init) ?? "self")/status"
  let status = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
  return affinityMask(processStatus: status)
    ?? affinityMask(coreCount: ProcessInfo.processInfo.activeProcessorCount)
}

/// The mask in the `Cpus_allowed` line of a `/proc/PID/status` file: comma-separated groups of 32
/// bits in hexadecimal, the highest first. `nil` without such a line.
func affinityMask(processStatus: String) -> [UInt64]? {
  let label = "Cpus_allowed:"
  guard let line = processStatus.split(separator: "\n").first(where: { $0.hasPrefix(label) }) else {
    return nil
  }
  let digits = line.dropFirst(label.count).trimmingCharacters(in: .whitespaces)
  let groups = digits.split(separator: ",")
  var mask = [UInt64](repeating: 0, count: (groups.count + 1) / 2)
  for (index, group) in groups.reversed().enumerated() {
    guard let bits = UInt32(group, radix: 16) else { return nil }
    mask[index / 2] |= UInt64(bits) << (index % 2 * 32)
  }
  return mask
}

/// The mask of the first `coreCount` cores.
func affinityMask(coreCount: Int) -> [UInt64] {
  var mask = [UInt64](repeating: 0, count: (coreCount + 63) / 64)
  for core in 0..<coreCount {
    mask[core / 64] |= 1 << (core % 64)
  }
  return mask
}

extension [UInt64] {
  fileprivate func containsCore(_ core: Int) -> Bool {
    core / 64 < count && self[core / 64] >> (core % 64) & 1 == 1
  }
}
