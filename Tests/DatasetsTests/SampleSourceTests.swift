import TestSupport
import Testing

@testable import Datasets

/// Fingerprints tell data sets apart by their lists of samples, not by where they lie.
struct SampleSourceTests {
  private func folder(_ files: [String]) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    for file in files { try directory.write("", to: "train/" + file) }
    return directory
  }

  private func fingerprint(_ files: [String]) throws -> UInt64 {
    let directory = try folder(files)
    return try ImageFolder(path: directory.path, splits: ["train"]).fingerprint
  }

  @Test func namesClassesAndLabelsCount() throws {
    let files = ["a/1.png", "a/2.png", "b/3.png"]
    let expected = try fingerprint(files)
    #expect(try fingerprint(files) == expected)
    let others = [
      ["a/1.png", "a/2.png"], ["a/1.png", "a/2.png", "b/4.png"], ["a/1.png", "a/2.png", "c/3.png"],
      ["a/1.png", "b/2.png", "b/3.png"], ["a/12.png", "a/2.png", "b/3.png"],
    ]
    let prints = try others.map(fingerprint) + [expected]
    #expect(Set(prints).count == 6)
  }

  /// The default, which archives have: by the names without the place.
  @Test func thePlaceOfSamplesDoesNotCount() {
    struct Named: ImageSource {
      let location: String
      let classes = ["only"]
      var labels: [Int32] { [0] }
      var file = "/only/1.png"
      func name(of index: Int) -> String { location + file }
      func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {}
    }
    let source = Named(location: "/here/train")
    #expect(Named(location: "/there:train").fingerprint == source.fingerprint)
    #expect(Named(location: "/here/train", file: "/only/2").fingerprint != source.fingerprint)
  }

  @Test func shardsCountByTheirChecksums() throws {
    let fixture = try ShardFixture()
    try fixture.write()
    let copy = try TemporaryDirectory()
    _ = try fixture.writer(to: copy.path).run { _ in }
    let shuffled = try TemporaryDirectory()
    _ = try fixture.writer(seed: 2, to: shuffled.path).run { _ in }
    let prints = try [fixture.output, copy, shuffled].map {
      try ShardSource(path: $0.path, splits: ["train"]).fingerprint
    }
    #expect(prints[0] == prints[1] && prints[0] != prints[2])
  }

  @Test func recordingsCountByFileAndWindow() {
    func hash(
      _ path: String, _ windows: [Range<Int64>], _ format: EventFormat = .nmnist
    ) -> UInt64 {
      var list = RecordingList(format: format, location: "x", classes: ["0"])
      list.append(path, windows: windows, labels: windows.map { _ in 0 })
      return list.listingHash
    }
    let expected = hash("/here/Train/0/1.bin", [0..<10])
    #expect(hash("/there/Train/0/1.bin", [0..<10]) == expected)
    #expect(hash("/here/Train/0/2.bin", [0..<10]) != expected)
    #expect(hash("/here/Train/0/1.bin", [0..<11]) != expected)
    // Of gestures no directory is a class.
    let gesture = hash("/here/DvsGesture/user01_led.aedat", [0..<10], .dvsGesture)
    #expect(hash("/there/gestures/user01_led.aedat", [0..<10], .dvsGesture) == gesture)
    #expect(hash("/here/DvsGesture/user02_led.aedat", [0..<10], .dvsGesture) != gesture)
  }
}
