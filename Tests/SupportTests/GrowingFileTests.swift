import Foundation
import TestSupport
import Testing

@testable import Support

struct GrowingFileTests {
  private let directory: TemporaryDirectory
  private let path: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.file("records")
  }

  private var content: [UInt8]? {
    get throws { try contentsOfFile(path).map { [UInt8]($0) } }
  }

  @Test func growsByRecords() throws {
    let file = try GrowingFile(path: path)
    #expect(file.isEmpty)
    try file.append([1, 2])
    try file.append([3])
    #expect(try !file.isEmpty && content == [1, 2, 3])
    try file.removeLast()
    #expect(try content == [1, 2])
    try file.append([4, 5])
    #expect(try content == [1, 2, 4, 5])
  }

  @Test func whatIsNoRecordGoes() throws {
    try directory.write([1, 2, 3], to: "records")
    let file = try GrowingFile(path: path, size: 2)
    try file.append([9])
    #expect(try content == [1, 2, 9])
  }
}
