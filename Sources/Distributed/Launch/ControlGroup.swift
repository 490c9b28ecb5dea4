import Foundation

/// The limits of CPU time and memory of the Linux control groups (containers, SLURM jobs, systemd slices) that a process
/// is in.
struct ControlGroup {
  /// Returns a file's text, or `nil` if there is no such file.
  let read: (_ path: String) -> String?

  static var current: ControlGroup {
    ControlGroup { try? String(contentsOfFile: $0, encoding: .utf8) }
  }

  /// The processors' worth of time that the process may use: the smallest quota of its control group
  /// and the groups around it; `nil` without any.
  func processorQuota() -> Double? {
    limits(of: "cpu", quotaV2, quotaV1).min()
  }

  /// The bytes of memory that the processes of the control group may use together: the smallest limit
  /// of it and the groups around it; `nil` without any.
  func memoryLimit() -> Int? {
    limits(of: "memory", { number($0 + "/memory.max") }, { number($0 + "/memory.limit_in_bytes") })
      .min()
  }

  /// What the control group and the groups around it say of a controller.
  private func limits<Limit>(
    of controller: Substring, _ version2: (_ directory: String) -> Limit?,
    _ version1: (_ directory: String) -> Limit?
  ) -> [Limit] {
    // A line is `hierarchy:controllers:path`; version 2 has hierarchy 0 and no controllers.
    let memberships = (read("/proc/self/cgroup") ?? "").split(separator: "\n")
    return memberships.flatMap { line -> [Limit] in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return [] }
      let controllers = fields[1].split(separator: ",")
      if fields[0] == "0" && controllers.isEmpty {
        return directories(below: "/sys/fs/cgroup", to: fields[2]).compactMap(version2)
      }
      if controllers.contains(controller) {
        return directories(below: "/sys/fs/cgroup/\(controller)", to: fields[2])
          .compactMap(version1)
      }
      return []
    }
  }

  /// `root` and the directories along `path` in it. In a container `path` may be the host's, and not
  /// exist; the container's own limits are then at the root.
  private func directories(below root: String, to path: Substring) -> [String] {
    path.split(separator: "/").reduce(into: [root]) { directories, name in
      directories.append(directories.last! + "/" + name)
    }
  }

  /// `cpu.max` holds `QUOTA PERIOD` in microseconds, or `max PERIOD`.
  private func quotaV2(directory: String) -> Double? {
    let fields = (read(directory + "/cpu.max") ?? "").split(whereSeparator: \.isWhitespace)
    guard fields.count == 2 else { return nil }
    return ratio(fields[0], fields[1])
  }

  /// `cpu.cfs_quota_us` is -1 where there is no limit.
  private func quotaV1(directory: String) -> Double? {
    guard let quota = read(directory + "/cpu.cfs_quota_us"),
      let period = read(directory + "/cpu.cfs_period_us")
    else { return nil }
    return ratio(quota[...], period[...])
  }

  /// A file that holds one number, or `max`.
  private func number(_ path: String) -> Int? {
    (read(path)?.trimmingCharacters(in: .whitespacesAndNewlines)).flatMap { Int($0) }
  }

  private func ratio(_ quota: Substring, _ period: Substring) -> Double? {
    guard let quota = Double(quota.trimmingCharacters(in: .whitespacesAndNewlines)),
      let period = Double(period.trimmingCharacters(in: .whitespacesAndNewlines)),
      quota > 0, period > 0
    else { return nil }
    return quota / period
  }
}
