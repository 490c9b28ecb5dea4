import Foundation
import Support
import TestSupport
import Testing

@testable import Datasets

struct ShardSourceTests {
  private let fixture: ShardFixture
  private var path: String { fixture.output.path }

  init() throws {
    fixture = try ShardFixture()
    try fixture.write()
  }

  @Test func shardsAreRecognisedAndSplitsHaveSeveralNames() throws {
    #expect(try ImageFormat(detecting: path, splits: ["train"]) == .shards)
    for name in ["val", "validation", "test"] {
      #expect(try ImageDataset.open(path: path, split: name).count == 6)
    }
    #expect(
      throws: DatasetError.missingSplit(path: path, splits: ["dev"], available: ["train", "val"])
    ) { try ImageDataset.open(path: path, split: "dev") }
  }

  @Test func bytesAndShardsReadAreCounted() throws {
    let source = try ShardSource(path: path, splits: ["train"])
    #expect(source.shardSizes == [6, 6, 6, 6])
    #expect(source.bytesRead == 0 && source.shardsRead == [])
    let expected = try source.bytes(of: 7).count + source.bytes(of: 23).count
    #expect(source.bytesRead == expected)
    #expect(source.shardsRead == ["train-000001.tar", "train-000003.tar"])
  }

  @Test func aShardThatIsNotUsedNeedNotBeThere() throws {
    try FileManager.default.removeItem(atPath: path + "/train-000000.tar")
    let source = try ShardSource(path: path, splits: ["train"])
    _ = try source.bytes(of: 6)
    let missing = path + "/train-000000.tar"
    #expect(throws: DatasetError.notFound(path: missing)) {
      try source.bytes(of: 5)
    }
    #expect(source.name(of: 5) == missing + ", sample 5")
  }

  @Test func aTruncatedShardIsAnErrorThatNamesIt() throws {
    let bytes = try fixture.content(of: "train-000000.tar")
    try fixture.output.write(bytes.prefix(2000), to: "train-000000.tar")
    let error = #expect(throws: DatasetError.self) {
      try ShardSource(path: path, splits: ["train"]).bytes(of: 0)
    }
    guard case .file(.damaged(path + "/train-000000.tar", 2000, _)) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func anUndecodableSampleIsNamedByShardAndKey() throws {
    let source = try ShardSource(path: path, splits: ["train"])
    #expect(source.name(of: 8).contains("/train-000001.tar, key 000000"))
    #expect(source.substitutes(for: 8) == 6..<12)
  }

  @Test func verifyingFindsDamagedMissingAndMislabelledShards() throws {
    let index = try ShardIndex(directory: path)
    var checked: [Int] = []
    #expect(index.verify(directory: path) { shards, all, _ in checked.append(shards + all) } == [])
    #expect(checked == [6, 7, 8, 9, 10])
    var bytes = try fixture.content(of: "train-000001.tar")
    bytes[bytes.count / 2] ^= 1
    try fixture.output.write(bytes, to: "train-000001.tar")
    try FileManager.default.removeItem(atPath: path + "/train-000002.tar")
    let problems = index.verify(directory: path)
    #expect(problems.count == 2)
    #expect(problems[0].contains("train-000001.tar: has the checksum"))
    #expect(problems[1].contains("train-000002.tar: there is no such file"))

    // An index that is wrong about intact shards.
    let text = String(decoding: try fixture.content(of: "index.json"), as: UTF8.self)
    let label = try #require(text.range(of: "\"labels\":["))
    let digit = text[label.upperBound] == "0" ? "1" : "0"
    let other = text.replacingCharacters(
      in: label.upperBound..<text.index(after: label.upperBound), with: digit)
    #expect(throws: DatasetError.self) { try ShardIndex(json: Array(other.utf8), path: "index") }
    let wrong = try JSONDecoder().decode(ShardIndex.self, from: Data(other.utf8))
    #expect(wrong.verify(directory: path).contains { $0.contains("does not have the label") })
  }

  @Test(
    "An index that cannot be right is refused",
    arguments: [
      ("\"version\":3", "\"version\":4", "version 4, and this program reads up to 3"),
      ("\"format\":\"sltt-dist shards\"", "\"format\":\"other\"", "format is 'other'"),
      ("\"file\":\"train-000000.tar\"", "\"file\":\"../secret\"", "no file name"),
      ("\"offsets\":[512,", "\"offsets\":[-1,", "sample 0 lies outside"),
      ("\"offsets\":[512,", "\"offsets\":[9223372036854775807,", "sample 0 lies outside"),
      ("\"offsets\":[512,", "\"offsets\":[512,512,", "are not 6 each"),
      ("\"labels\":[", "\"labels\":[7,", "are not 6 each"),
      ("\"classes\":[", "\"class\":[", "'classes' is missing"),
      ("\"classes\":[", "\"classes\":[1,", "classes"),
      ("{", "", "JSON"),
    ])
  func wrongIndices(part: String, replacement: String, reason: String) throws {
    let text = String(decoding: try fixture.content(of: "index.json"), as: UTF8.self)
    let range = try #require(text.range(of: part))
    let end = try #require(text.range(of: ",\n\"checksum\""))
    let object = text[..<end.lowerBound].replacingCharacters(in: range, with: replacement) + "}"
    try fixture.output.write(sealed(Data(object.utf8)), to: "index.json")
    let error = #expect(throws: DatasetError.self) {
      try ShardSource(path: path, splits: ["train"])
    }
    guard case .badIndex(path + "/index.json", let found) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found.contains(reason), "\(found)")
  }

  /// Made by a program whose indices had their checksum in front.
  @Test func shardsOfEarlierProgramsAreRead() throws {
    let directory = try TemporaryDirectory()
    let files = ["index.json", "train-000000.tar", "train-000001.tar", "val-000000.tar"]
    for file in files { try directory.write(Fixture.bytes("shards-version-2/" + file), to: file) }
    let source = try ShardSource(path: directory.path, splits: ["train"])
    #expect(source.classes == ["cat", "dög's", "owl"])
    #expect(source.labels == [2, 1, 2, 0, 2, 0, 1])
    #expect(try source.bytes(of: 4) == Fixture.bytes("gray.jpg"))
    #expect(try source.bytes(of: 6) == Fixture.bytes("palette-2-bit.png"))
    let index = try ShardIndex(directory: directory.path)
    #expect(index.verify(directory: directory.path) == [])
    #expect(index.splits["train"]?.shards[1].skipped.first?.reason == "its size is 0 x 0")

    // Written anew it is the same, sealed.
    let copy = try TemporaryDirectory()
    try index.write(directory: copy.path)
    #expect(try ShardIndex(directory: copy.path) == index)
  }

  @Test func damageToAnIndexOfAnEarlierProgramIsNoticed() throws {
    let bytes = try Fixture.bytes("shards-version-2/index.json")
    for place in bytes.indices {
      var damaged = bytes
      damaged[place] ^= 1
      #expect(throws: DatasetError.self, "byte \(place)") {
        try ShardIndex(json: damaged, path: "index")
      }
    }
  }
}
