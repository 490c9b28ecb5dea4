import Testing

@testable import Distributed

@Suite struct ControlGroupTests {
  private func quota(_ files: [String: String]) -> Double? {
    ControlGroup { files[$0] }.processorQuota()
  }

  @Test func withoutLimitsThereIsNoQuota() {
    #expect(quota([:]) == nil)
    #expect(quota(["/proc/self/cgroup": "0::/\n"]) == nil)
    #expect(
      quota(["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n"]) == nil)
    #expect(
      quota([
        "/proc/self/cgroup": "4:cpu,cpuacct:/\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      ]) == nil)
  }

  @Test func theTightestGroupAroundTheProcessCounts() {
    let files = [
      "/proc/self/cgroup": "0::/user.slice/job 7\n",
      "/sys/fs/cgroup/user.slice/cpu.max": "150000 100000\n",
      "/sys/fs/cgroup/user.slice/job 7/cpu.max": "400000 100000\n",
      "/sys/fs/cgroup/other.slice/cpu.max": "1000 100000\n",
    ]
    #expect(quota(files) == 1.5)
  }

  @Test func aContainersOwnLimitIsAtTheRoot() {
    // The path is the host's and does not exist inside.
    let files = [
      "/proc/self/cgroup": "0::/docker/0123\n", "/sys/fs/cgroup/cpu.max": "200000 100000\n",
    ]
    #expect(quota(files) == 2)
  }

  @Test func versionOneIsRead() {
    let files = [
      "/proc/self/cgroup": "11:memory:/a\n4:cpu,cpuacct:/a/b\n1:name=systemd:/a\n",
      "/sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us": "300000\n",
      "/sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us": "100000\n",
    ]
    #expect(quota(files) == 3)
  }

  @Test(arguments: ["", "x y", "100000", "100000 0", "-5 100000"])
  func nonsenseIsNoLimit(text: String) {
    #expect(quota(["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": text]) == nil)
  }

  @Test func theTightestMemoryLimitCounts() {
    func limit(_ files: [String: String]) -> Int? {
      ControlGroup { files[$0] }.memoryLimit()
    }
    #expect(limit(["/proc/self/cgroup": "0::/a\n"]) == nil)
    #expect(
      limit([
        "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/memory.max": "3000\n",
        "/sys/fs/cgroup/a/b/memory.max": "max\n",
      ]) == 3000)
    #expect(
      limit([
        "/proc/self/cgroup": "7:memory:/a\n4:cpu:/b\n",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9000\n",
        "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "5000\n",
      ]) == 5000)
  }
}
