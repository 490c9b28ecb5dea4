import Foundation
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
    for name in ["b", "a b's", "z"] {
      var times = [timeval(tv_sec: time(nil) - 3600, tv_usec: 7), timeval()]
      times[1] = times[0]
      #expect(utimes(location + "/" + name, times) == 0)
    }
  }

  private var cache: ListingCache {
    ListingCache(location: location, directory: caches.path + "/sltt-dist")
  }

  @Test func aScanFindsClassesAndFilesInOrder() throws {
    let listing = try FolderListing.scan(location)
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
    let listing = try FolderListing.scan(location)
    #expect(listing.classes.map(\.name) == ["a b's", "b", "linked", "z"])
    #expect(listing.classes.map(\.count) == [1, 2, 1, 2])
  }

  @Test func bytesKeepAListing() throws {
    let listing = try FolderListing.scan(location)
    #expect(FolderListing(serialized: listing.serialized) == listing)
  }

  @Test func damagedBytesAreNoListing() throws {
    let bytes = try FolderListing.scan(location).serialized
    for position in bytes.indices {
      var damaged = bytes
      damaged[position] ^= 0x10
      #expect(FolderListing(serialized: damaged) == nil, "byte \(position)")
      #expect(FolderListing(serialized: Array(bytes[..<position])) == nil, "\(position) bytes")
    }
    #expect(FolderListing(serialized: bytes + [0]) == nil)
  }

  @Test func aCacheCountsUntilAClassDirectoryChanges() throws {
    let listing = try FolderListing.scan(location)
    #expect(cache.load() == nil)
    cache.store(listing)
    #expect(FileManager.default.fileExists(atPath: location + "/.sltt-index"))
    #expect(cache.load() == listing)

    try directory.write("new", to: "train/b/3.png")
    #expect(cache.load() == nil)
    age()
    cache.store(try FolderListing.scan(location))
    #expect(cache.load()?.files.count == 5)
    try FileManager.default.removeItem(atPath: location + "/z/1.jpeg")
    #expect(cache.load() == nil)
  }

  @Test func aCacheKnowsClassesThatCameOrWentOrWereRenamed() throws {
    cache.store(try FolderListing.scan(location))
    let manager = FileManager.default
    try directory.makeDirectory("train/new")
    #expect(cache.load() == nil)
    try manager.removeItem(atPath: location + "/new")
    #expect(cache.load() != nil)
    try manager.moveItem(atPath: location + "/z", toPath: location + "/y")
    #expect(cache.load() == nil)
  }

  @Test func aDamagedCacheIsReplaced() throws {
    let listing = try FolderListing.scan(location)
    try directory.write("sltt-index 1\nbut then nonsense", to: "train/.sltt-index")
    #expect(cache.load() == nil)
    cache.store(listing)
    #expect(cache.load() == listing)
  }

  @Test func directoriesThatChangeAtTheMomentAreNotStored() throws {
    let listing = try FolderListing.scan(location)
    cache.store(listing, now: listing.classes[0].modified.seconds + 1)
    #expect(cache.load() == nil)
  }

  @Test func dataThatCannotBeWrittenAreCachedElsewhere() throws {
    let listing = try FolderListing.scan(location)
    // A directory in place of the file: root may write anywhere else.
    try directory.makeDirectory("train/.sltt-index/in-the-way")
    cache.store(listing)
    #expect(cache.load() == listing)
    #expect(try FileManager.default.contentsOfDirectory(atPath: caches.path) == ["sltt-dist"])
  }

  @Test func oneRankListsForAll() throws {
    let sent = Mutex<[[UInt8]]>([])
    let root = FolderListing.Method(
      isRoot: true,
      broadcast: { bytes in
        sent.withLock { $0.append(bytes) }
        return bytes
      }, progress: { _ in })
    let listed = try ImageFolder(path: directory.path, split: "train", listing: root)
    let bytes = try #require(sent.withLock { $0.count == 1 ? $0[0] : nil })
    // The other ranks do not look at the directories at all.
    let other = FolderListing.Method(
      isRoot: false, broadcast: { _ in bytes }, progress: { _ in })
    let received = try ImageFolder(path: "/nowhere", split: "train", listing: other)
    #expect(received.classes == listed.classes)
    #expect(received.labels == listed.labels)
    #expect(received.name(of: 1) == "/nowhere/train/b/10.jpg")
  }
}
