import Foundation
import TestSupport
import Testing

@testable import Support

struct FileLockTests {
  @Test func oneHasItAtATime() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("lock")
    var first: FileLock? = try FileLock(path: path)
    #expect(first?.attempt() == .taken)
    first?.write("a long description of the first owner")
    first?.write("the first")
    let second = try FileLock(path: path)
    #expect(second.attempt() == .refused)
    #expect(try contentsOfFile(path) == Data("the first".utf8))
    first = nil
    #expect(second.attempt() == .taken)
  }

  @Test func namesThePathAndTheReason() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("none/lock")
    #expect(throws: FileError.unwritable(path: path, reason: "No such file or directory")) {
      try FileLock(path: path)
    }
  }
}
