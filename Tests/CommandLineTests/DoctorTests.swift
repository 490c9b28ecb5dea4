import TestSupport
import Testing

struct DoctorTests {
  private let workspace: Workspace

  init() throws {
    workspace = try Workspace()
  }

  @Test(arguments: [nil, 2]) func examinesThisMachine(ranks: Int?) throws {
    let run = try workspace.run("doctor", ranks: ranks)
    #expect(run.status == 0, "\(run.output)")
    let lines = run.output.split(separator: "\n").map(String.init)
    #expect(lines.last?.hasPrefix("verdict: everything that training needs works") == true)
    let sections = lines.filter { !$0.hasPrefix(" ") }.dropLast()
    #expect(
      sections == [
        "program", "MPI", "CPU", "memory", "libraries", "space", "environment", "math",
      ])
    for topic in ["oneDNN", "OpenBLAS", "libjpeg-turbo", "libpng", "libarchive"] {
      let line = lines.first { $0.hasPrefix("  ok: \(topic): ") }
      #expect(line?.contains(/\d\.\d/) == true, "\(topic)")
    }
    #expect(lines.contains { $0.hasPrefix("  ok: convolutions by oneDNN: ") })
    #expect(run.output.contains("10 MB over 2 ranks") == (ranks == 2))
    #expect(lines.contains { $0.hasPrefix("  ranks") } == (ranks == 2))
    #expect(try workspace.directory.contents == [])
  }

  @Test(arguments: [nil, 2]) func endsWithAStatusWhereSomethingFailed(ranks: Int?) throws {
    let run = try workspace.run("doctor", "--output", "/proc/runs", ranks: ranks)
    #expect(run.status == 1)
    #expect(run.output.contains("  FAILED: output: /proc/runs: cannot write to /proc: "))
    let last = run.output.split(separator: "\n").last
    #expect(last?.hasPrefix("verdict: do not train here yet: 1 check FAILED") == true)
  }
}
