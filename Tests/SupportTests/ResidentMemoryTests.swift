import Distributed
import Foundation
import TestSupport
import Testing

@testable import Support

struct ResidentMemoryTests {
  /// Other tests move the memory of this process, and have moved its peak.
  @Test func isMeasuredInAProcessOfItsOwn() throws {
    let run = try ProgramRun.ofTests("MeasuredProcess/", ranks: 1)
    #expect(run.status == 0, "\(run.output.suffix(2000))")
    #expect((run.output + run.errors).contains("Suite MeasuredProcess passed"))
  }
}

/// Started under mpirun by the test above.
@Suite(.serialized, .enabled(if: Launch.current.isByMPI))
struct MeasuredProcess {
  /// A line of the kernel's own account, such as `VmHWM:  61440 kB`, in bytes.
  private func status(_ name: String) throws -> Int {
    let text = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix(name + ":") })
    return try #require(Int(String(line.filter { $0.isNumber }))) * 1024
  }

  @Test func thePeakStaysWhenMemoryGoesBack() throws {
    let (resident, peak) = (residentBytes(), peakResidentBytes())
    let tolerance = peak / 4
    #expect(abs(resident - (try status("VmRSS"))) < tolerance)
    #expect(abs(peak - (try status("VmHWM"))) < tolerance)
    // More than the peak so far.
    let size = 2 * peak
    let block = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    try #require(block != MAP_FAILED)
    memset(block!, 1, size)
    #expect(abs(residentBytes() - (resident + size)) < tolerance)
    munmap(block, size)
    #expect(abs(residentBytes() - resident) < tolerance)
    #expect(abs(peakResidentBytes() - (resident + size)) < tolerance)
  }

  @Test func freedMemoryGoesBackFromBelowWhatIsInUse() throws {
    let (count, size) = (1000, 64 << 10)
    let blocks = (0..<count).map { _ in malloc(size)! }
    for block in blocks { memset(block, 1, size) }
    let before = residentBytes()
    for block in blocks.dropLast() { free(block) }
    releaseFreedMemory()
    #expect(before - residentBytes() > count * size / 2)
    free(blocks.last)
  }
}
