import Foundation
import Support
import TestSupport
import Testing

@testable import Support

struct SystemReasonTests {
  @Test func isWhatTheSystemSays() throws {
    #expect(systemReason(of: POSIXError(.ENOSPC)) == "No space left on device")
    #expect(systemReason(of: CocoaError(.fileWriteNoPermission)) == "Permission denied")
    #expect(
      systemReason(of: FileError.unreadable(path: "a", reason: "it is a directory"))
        == "it is a directory")
    let directory = try TemporaryDirectory()
    try directory.write("", to: "file")
    #expect {
      try FileManager.default.createDirectory(
        atPath: directory.file("file/below"), withIntermediateDirectories: true)
    } throws: {
      systemReason(of: $0) == "Not a directory"
    }
    #expect {
      try Data().write(to: URL(fileURLWithPath: directory.file("none/below")))
    } throws: {
      systemReason(of: $0) == "No such file or directory"
    }
  }

  @Test func filesOfOtherKindsAreNamed() throws {
    let directory = try TemporaryDirectory()
    try directory.write("x", to: "file")
    #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
    #expect(try contentsOfFile(directory.file("none")) == nil)
    #expect(try contentsOfFile(directory.file("file")) == Data("x".utf8))
    for (path, reason) in [
      (directory.path, "it is a directory"), (directory.file("pipe"), "it is not a regular file"),
      ("/dev/zero", "it is not a regular file"),
    ] {
      #expect(throws: FileError.unreadable(path: path, reason: reason)) {
        try contentsOfFile(path)
      }
    }
  }
}
