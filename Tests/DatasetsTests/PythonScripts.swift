import Foundation
import Testing

private var python: String? { ProcessInfo.processInfo.environment["SLTT_TEST_PYTHON"] }

var pythonHasWebDataset: Bool {
  (try? runPython("import webdataset, numpy, PIL")) != nil
}

/// What a script prints; an error unless it ends well.
@discardableResult
func runPython(_ script: String, _ arguments: String...) throws -> String {
  let process = Process()
  let pipe = Pipe()
  process.executableURL = URL(fileURLWithPath: try #require(python))
  process.arguments = ["-c", script] + arguments
  process.standardOutput = pipe
  process.standardError = FileHandle.nullDevice
  try process.run()
  let output = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
  return String(decoding: output, as: UTF8.self)
}
