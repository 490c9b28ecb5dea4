import Support
import TestSupport
import Testing

@testable import Datasets

/// Which directory a split is, in directories and archives alike.
struct SplitSearchTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// Both as a directory and as a tar.
  private func write(_ files: [String]) throws {
    var tar = TarFile()
    for file in files {
      tar.addFile(file, file)
      try directory.write(file, to: "data/" + file)
    }
    try directory.write(tar.closed, to: "data.tar")
  }

  private var paths: [String] { [directory.file("data"), directory.file("data.tar")] }

  private func first(_ path: String, _ splits: String...) throws -> String {
    let bytes = try ImageDataset.open(path: path, splits: splits).bytes(of: 0)
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test func severalOfOneNameAreAnErrorThatNamesThem() throws {
    try write(["fold1/train/a/1.png", "fold2/train/a/1.png", "fold1/val/a/1.png"])
    for path in paths {
      let error = #expect(throws: DatasetError.self) {
        try ImageDataset.open(path: path, split: "train")
      }
      #expect(
        error
          == .ambiguousSplit(path: path, split: "train", found: ["fold1/train", "fold2/train"]))
      #expect(error.map { "\($0)" }?.contains("data.train=fold1/train") == true)
      #expect(try first(path, "fold2/train") == "fold2/train/a/1.png")
      #expect(try first(path, "val") == "fold1/val/a/1.png")
    }
  }

  @Test func theOneNearestToTheTopIsMeant() throws {
    try write(["x/data/train/train/1.png", "x/data/val/train/1.png", "x/old/data/train/a/1.png"])
    for path in paths {
      #expect(try first(path, "train") == "x/data/train/train/1.png")
      #expect(try first(path, "old/data/train") == "x/old/data/train/a/1.png")
    }
  }

  @Test func whereASplitWasFoundIsSaid() throws {
    try write(["x/train/a/1.png", "val/a/1.png"])
    for (path, separator) in zip(paths, ["/", ":"]) {
      func notes(_ split: String) throws -> [String] {
        try ImageDataset.open(path: path, split: split).notes(in: path, splits: ["no", split])
          .map { "\($0.title): \($0.text)" }
      }
      #expect(
        try notes("train") == [
          "found: \(path)\(separator)x/train, as there is no 'train' in \(path) itself"
        ])
      #expect(try notes("x/train") == [] && notes("val") == [])
    }
  }

  /// Nobody has divided the images, so that all are there to learn from.
  @Test func withoutSplitsTheClassesAreTheTrainingSplit() throws {
    try write([
      "flowers/rose/1.png", "flowers/tulip/1.jpg", "flowers/rose/2.JPEG", "flowers/list.txt",
    ])
    for path in paths {
      for (place, text) in [(path, ""), (path + "/flowers", "itself")] {
        guard place == path || !path.hasSuffix(".tar") else { continue }
        let images = try ImageDataset.open(path: place, splits: ImageDataset.trainingSplits)
        #expect(images.classes == ["rose", "tulip"] && images.count == 3)
        #expect(try images.bytes(of: 1) == Array("flowers/rose/2.JPEG".utf8))
        let notes = images.notes(in: place, splits: ImageDataset.trainingSplits)
        #expect(
          notes.first?.text
            == (text.isEmpty
              ? "\(images.location), as there is no 'train' in \(place) itself"
              : "the classes in \(place) itself, as there is no 'train'"))
        #expect(throws: DatasetError.self) {
          _ = try ImageDataset.open(path: place, splits: ImageDataset.validationSplits)
        }
      }
    }
    let named = try ImageDataset.open(path: paths[0] + "/flowers", split: ".")
    #expect(try named.bytes(of: 0) == Array("flowers/rose/1.png".utf8))
    #expect(!named.notes(in: paths[0] + "/flowers", splits: ["."]).contains { $0.title == "found" })
  }

  @Test(arguments: [
    // A split, no class.
    ["rose/1.png", "val/1.png"], ["val/rose/1.png", "val/tulip/1.png"],
    // Images are deeper: who knows of what.
    ["one/rose/1.png", "two/rose/1.png"], ["rose/1.png", "tulip/1.png", "tulip/more/1.png"],
    ["rose/1.png"], ["rose/1.png", "tulip/1.txt"],
  ])
  func whatMayBeSomethingElseIsNoTrainingSplit(files: [String]) throws {
    try write(files)
    for path in paths {
      let error = #expect(throws: DatasetError.self) {
        _ = try ImageDataset.open(path: path, splits: ImageDataset.trainingSplits)
      }
      guard case .missingSplit = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
  }

  @Test func theMachineIsNoDataSet() throws {
    for path in ["/", "/proc", "/proc/self"] {
      #expect(try !FileSystemDirectory(path: RawPath(path)).isSearched)
    }
    for path in ["/etc", directory.path] {
      #expect(try FileSystemDirectory(path: RawPath(path)).isSearched)
    }
    for path in ["/", "/proc"] {
      let error = #expect(throws: DatasetError.self) {
        try ImageDataset.open(path: path, splits: ["no-such-split"], format: .imageFolder)
      }
      guard case .missingSplit(path, _, _) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
  }

  @Test func aNameNearTheTopGoesBeforeAnotherOneBelow() throws {
    try write(["Training/train/1.png", "Testing/val/1.png"])
    for path in paths {
      #expect(try first(path, "train", "Training") == "Training/train/1.png")
      #expect(try first(path, "val", "Testing") == "Testing/val/1.png")
    }
  }

  @Test func theFirstOfSeveralNamesThatIsThereCounts() throws {
    try write(["validation/a/1.png", "test/a/1.png"])
    for path in paths {
      #expect(try first(path, "val", "validation", "test") == "validation/a/1.png")
      #expect(
        throws: DatasetError.missingSplit(
          path: path, splits: ["val", "dev"], available: ["test", "validation"])
      ) { try first(path, "val", "dev") }
    }
  }
}
