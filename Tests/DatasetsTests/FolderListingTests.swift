import Foundation
import Support
import Synchronization
import TestSupport
import Testing

@testable import Datasets

struct FolderListingTests {
  private let directory: TemporaryDirectory
  private let caches: TemporaryDirectory
  private var location: String { directory.path + "/train" }

  init() throws {
    directory = try TemporaryDirectory()
    caches = try TemporaryDirectory()
    for name in ["b/2.JPEG", "b/10.jpg", "b/notes.txt", "a b's/ü.png", "z/1.jpeg"] {
      try directory.write(name, to: "train/" + name)
    }
    try directory.makeDirectory("train/b/directory.png")
    age()
  }

  /// Makes the class directories look as if they had been left alone for an hour.
  private func age() {
    for name in ["b/directory.png", "b", "a b's", "z"] {
      var times = [timeval(tv_sec: time(nil) - 3600, tv_usec: 7), timeval()]
      times[1] = times[0]
      #expect(utimes(location + "/" + name, times) == 0)
    }
  }

  private var split: FileSystemDirectory {
    get throws { try FileSystemDirectory(path: RawPath(location)) }
  }

  private var cache: ListingCache {
    get throws { ListingCache(try split, directory: caches.path + "/sltt-dist") }
  }

  private func scan() throws -> FolderListing {
    try FolderListing.scan(split, split: RawPath("train"))
  }

  @Test func aScanFindsClassesAndFilesInOrder() throws {
    let listing = try scan()
    #expect(listing.classes.map(\.name) == ["a b's", "b", "z"])
    #expect(listing.classes.map(\.count) == [1, 2, 1])
    #expect(
      (0..<4).map { listing.files[$0] } == ["ü.png", "10.jpg", "2.JPEG", "1.jpeg"])
  }

  @Test func symbolicLinksCount() throws {
    let elsewhere = try TemporaryDirectory()
    try elsewhere.write("x", to: "linked/x.png")
    try FileManager.default.createSymbolicLink(
      atPath: location + "/linked", withDestinationPath: elsewhere.path + "/linked")
    try FileManager.default.createSymbolicLink(
      atPath: location + "/z/other.png", withDestinationPath: location + "/b/10.jpg")
    let listing = try scan()
    #expect(listing.classes.map(\.name) == ["a b's", "b", "linked", "z"])
    #expect(listing.classes.map(\.count) == [1, 2, 1, 2])
  }

  @Test func imagesAtAnyDepthAreInTheOrderOfTorchvision() throws {
    for name in ["sub/1.png", "sub/deep/2.png", "sub-1/0.png", "0.png", "ZZ/.hidden/3.png"] {
      try directory.write("x", to: "train/z/" + name)
    }
    let listing = try scan()
    #expect(listing.classes.map(\.count) == [1, 2, 5])
    #expect(
      (3..<8).map { listing.files[$0] }
        == ["0.png", "1.jpeg", "sub/1.png", "sub-1/0.png", "sub/deep/2.png"])
    let source = try ImageFolder(path: directory.path, splits: ["train"])
    #expect(try source.bytes(of: 7) == Array("x".utf8))
  }

  @Test func whatIsNoSampleIsCounted() throws {
    for name in [
      "b/.DS_Store", "b/._2.JPEG", "z/x.GIF", "z/y.gif", "README.md", ".ipynb_checkpoints/1.png",
      ".sltt-dist/x",
    ] {
      try directory.write("x", to: "train/" + name)
    }
    let manager = FileManager.default
    try manager.createSymbolicLink(atPath: location + "/z/gone.png", withDestinationPath: "no")
    try manager.createSymbolicLink(atPath: location + "/z/above", withDestinationPath: "..")
    #expect(
      try ImageFolder(path: directory.path, splits: ["train"]).passedOverNote
        == "9 files in \(location): 3 hidden, 2 .gif (not read: convert to JPEG or PNG), 1 .txt (no"
        + " image), 1 in no class directory, 1 linked in a circle, 1 linked to nothing")
  }

  @Test func namesThatAreNotUTF8AreRead() throws {
    let path = RawPath(location).appending("z".utf8).appending([0xE9] + Array(".png".utf8))
    let file = path.withCString { fopen($0, "w") }
    fputs("latin", file)
    fclose(file)
    let source = try ImageFolder(path: directory.path, splits: ["train"])
    #expect(source.name(of: 4).hasSuffix("/z/\u{FFFD}.png"))
    #expect(try source.bytes(of: 4) == Array("latin".utf8))
  }

  @Test func classNamesThatCannotBeToldApartAreErrors() throws {
    try directory.write("x", to: "train/caf\u{E9}/1.png")
    try directory.write("x", to: "train/cafe\u{301}/1.png")
    #expect(
      throws: DatasetError.unusableClassName(
        path: location, name: "caf\\xc3\\xa9", like: "cafe\\xcc\\x81")
    ) { try scan() }
  }

  @Test func classNamesThatAreNotUTF8AreErrors() throws {
    let path = RawPath(location).appending([0xE9])
    try #require(path.withCString { mkdir($0, 0o755) } == 0)
    #expect(
      throws: DatasetError.unusableClassName(path: location, name: "\\xe9", like: nil)
    ) { try scan() }
  }

  @Test(arguments: ["a\nb", "\u{1B}[31mdog"])
  func classNamesWithControlCharactersAreErrors(name: String) throws {
    try directory.write("x", to: "train/\(name)/1.png")
    let escaped = name.replacing("\n", with: "\\x0a").replacing("\u{1B}", with: "\\x1b")
    #expect(
      throws: DatasetError.unusableClassName(path: location, name: escaped, like: nil)
    ) { try scan() }
  }

  @Test func bytesKeepAListing() throws {
    let listing = try scan()
    #expect(FolderListing(serialized: listing.serialized) == listing)
  }

  @Test func damagedBytesAreNoListing() throws {
    let bytes = try scan().serialized
    for position in bytes.indices {
      var damaged = bytes
      damaged[position] ^= 0x10
      #expect(FolderListing(serialized: damaged) == nil, "byte \(position)")
      #expect(FolderListing(serialized: Array(bytes[..<position])) == nil, "\(position) bytes")
    }
    #expect(FolderListing(serialized: bytes + [0]) == nil)
  }

  @Test func aCacheCountsUntilAClassDirectoryChanges() throws {
    let listing = try scan()
    #expect(try cache.load() == nil)
    try cache.store(listing)
    #expect(FileManager.default.fileExists(atPath: location + "/.sltt-index"))
    #expect(try cache.load() == listing)

    try directory.write("new", to: "train/b/3.png")
    #expect(try cache.load() == nil)
    age()
    try cache.store(scan())
    #expect(try cache.load()?.files.count == 5)
    try FileManager.default.removeItem(atPath: location + "/z/1.jpeg")
    #expect(try cache.load() == nil)
  }

  @Test func aCacheKnowsClassesThatCameOrWentOrWereRenamed() throws {
    try cache.store(scan())
    let manager = FileManager.default
    try directory.makeDirectory("train/new")
    #expect(try cache.load() == nil)
    try manager.removeItem(atPath: location + "/new")
    #expect(try cache.load() != nil)
    try directory.write("x", to: "train/loose.png")
    #expect(try cache.load() == nil)
    try manager.removeItem(atPath: location + "/loose.png")
    #expect(try cache.load() != nil)
    try manager.moveItem(atPath: location + "/z", toPath: location + "/y")
    #expect(try cache.load() == nil)
  }

  @Test func aDamagedCacheIsReplaced() throws {
    let listing = try scan()
    try directory.write("sltt-index 1\nbut then nonsense", to: "train/.sltt-index")
    #expect(try cache.load() == nil)
    try cache.store(listing)
    #expect(try cache.load() == listing)
  }

  @Test func directoriesThatChangeAtTheMomentAreNotStored() throws {
    let listing = try scan()
    try cache.store(listing, now: listing.directories[0].modified.seconds + 1)
    #expect(try cache.load() == nil)
  }

  /// What they lead to may come without a change of any directory.
  @Test func listingsWithLinksToNothingAreNotStored() throws {
    try FileManager.default.createSymbolicLink(
      atPath: location + "/b/link.png", withDestinationPath: directory.file("store/1.png"))
    age()
    let count = try scan().files.count
    try cache.store(scan())
    #expect(try cache.load() == nil)
    try directory.write("1", to: "store/1.png")
    try cache.store(scan())
    #expect(try cache.load()?.files.count == count + 1)
  }

  @Test func dataThatCannotBeWrittenAreCachedElsewhere() throws {
    let listing = try scan()
    // A directory in place of the file: root may write anywhere else.
    try directory.makeDirectory("train/.sltt-index/in-the-way")
    try cache.store(listing)
    #expect(try cache.load() == listing)
    #expect(try FileManager.default.contentsOfDirectory(atPath: caches.path) == ["sltt-dist"])
  }

  @Test func oneRankListsForAll() throws {
    let sent = Mutex<[[UInt8]]>([])
    let root = FolderListing.Method(
      isRoot: true,
      broadcast: { bytes in
        sent.withLock { $0.append(bytes) }
        return bytes
      }, report: { _ in })
    let listed = try ImageFolder(path: directory.path, splits: ["train"], listing: root)
    let bytes = try #require(sent.withLock { $0.count == 1 ? $0[0] : nil })
    // The other ranks do not look at the directories at all.
    let other = FolderListing.Method(
      isRoot: false, broadcast: { _ in bytes }, report: { _ in })
    let nowhere = directory.file("nowhere")
    let received = try ImageFolder(path: nowhere, splits: ["train"], listing: other)
    #expect(received.classes == listed.classes)
    #expect(received.labels == listed.labels)
    #expect(received.name(of: 1) == nowhere + "/train/b/10.jpg")
  }
}
