import Support

/// The samples of a split of an archive, and where their images lie in its plain tar.
struct ArchiveListing: Equatable {
  let listing: FolderListing
  /// Of every sample.
  let places: [Range<Int>]
  /// Whether the plain tar is the archive itself.
  let isItself: Bool
  /// What the plain tar must be like: `ArchiveState.content`.
  let content: UInt64

  /// - Parameter path: of the archive.
  /// - Throws: where none of the splits is there, or what is there is none.
  init(_ tar: PlainTar, _ tree: ArchiveTree, path: String, splits: [String]) throws(DatasetError) {
    let (split, directory) = try SplitSearch(path: path, root: tree.root).find(splits)
    let listing = try FolderListing(
      of: directory, split: split, location: ImageArchive.location(path, split))
    var places: [Range<Int>] = []
    places.reserveCapacity(listing.files.count)
    var first = 0
    for entry in listing.classes {
      let name = RawPath(entry.name)
      for index in first..<first + entry.count {
        places.append(directory.place(of: name.appending(listing.files.utf8(index))))
      }
      first += entry.count
    }
    (self.listing, self.places) = (listing, places)
    isItself = tar.isItself
    content = try ArchiveState.content(of: tar.file)
  }

  /// As one block of `ByteFields`: whether the tar is the archive, what it must be like, the listing, and
  /// of each sample start and size.
  var serialized: [UInt8] {
    var writer = ByteFields.Writer()
    writer.append(isItself ? 1 : 0)
    writer.append(content)
    writer.append(listing.serialized)
    for place in places { writer.append(place) }
    return writer.bytes
  }

  /// - Returns: `nil` if the bytes are damaged.
  init?(serialized bytes: [UInt8]) {
    let fields = bytes.withUnsafeBytes { bytes -> Self? in
      var reader = ByteFields.Reader(bytes)
      guard let isItself = reader.number(), let content = reader.number(),
        let block = reader.name(),
        let listing = FolderListing(serialized: UnsafeRawBufferPointer(rebasing: block))
      else { return nil }
      var places: [Range<Int>] = []
      places.reserveCapacity(listing.files.count)
      for _ in 0..<listing.files.count {
        guard let place = reader.place() else { return nil }
        places.append(place)
      }
      guard reader.bytes.isEmpty else { return nil }
      return Self(
        listing: listing, places: places, isItself: isItself == 1,
        content: UInt64(bitPattern: Int64(content)))
    }
    guard let fields else { return nil }
    self = fields
  }

  private init(listing: FolderListing, places: [Range<Int>], isItself: Bool, content: UInt64) {
    (self.listing, self.places) = (listing, places)
    (self.isItself, self.content) = (isItself, content)
  }
}

extension FolderListing.Method {
  /// The plain tar of an archive, and the samples of the first of some splits that is there.
  ///
  /// - Parameter largestInMemory: see `PlainTar`.
  func open(
    archive path: String, splits: [String], largestInMemory: Int
  ) throws -> (PlainTar, ArchiveListing) {
    guard lists else {
      guard let listing = ArchiveListing(serialized: try share([])) else {
        throw DatasetError.unreadable(
          path: path, reason: "the listing from the root rank is damaged")
      }
      return (
        try PlainTar(
          of: path, isItself: listing.isItself, self, largestInMemory: largestInMemory), listing
      )
    }
    let (tar, tree) = try PlainTar.withTree(of: path, self, largestInMemory: largestInMemory)
    let listing = try ArchiveListing(tar, tree, path: path, splits: splits)
    _ = try share(listing.serialized)
    return (tar, listing)
  }
}
