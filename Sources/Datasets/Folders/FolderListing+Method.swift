extension FolderListing {
  /// Who lists an image folder: one process for itself, or one rank for all of a job.
  public struct Method: Sendable {
    /// Whether this process reads the directories.
    private let lists: Bool
    /// Returns the listing process's bytes on all ranks; every rank calls it once a listing.
    private let share: @Sendable ([UInt8]) throws -> [UInt8]
    private let progress: @Sendable (ScanProgress) -> Void

    /// - Parameters:
    ///   - isRoot: whether this rank reads the directories; exactly one does.
    ///   - broadcast: returns the root's bytes on all ranks.
    ///   - progress: is called every few seconds on the root while it reads.
    public init(
      isRoot: Bool, broadcast: @escaping @Sendable ([UInt8]) throws -> [UInt8],
      progress: @escaping @Sendable (ScanProgress) -> Void
    ) {
      (lists, share, self.progress) = (isRoot, broadcast, progress)
    }

    /// This process lists for itself.
    public static let alone = Method(isRoot: true, broadcast: { $0 }, progress: { _ in })

    /// The listing of a split, from its cache if that is current.
    func listing(path: String, split: String) throws -> FolderListing {
      guard lists else {
        guard let listing = FolderListing(serialized: try share([])) else {
          throw DatasetError.unreadable(
            path: path, reason: "the listing from the root rank is damaged")
        }
        return listing
      }
      let available = try subdirectories(of: path)
      guard available.contains(split) else {
        throw DatasetError.missingSplit(path: path, split: split, available: available)
      }
      let location = path + "/" + split
      let cache = ListingCache(location: location)
      if let cached = cache.load() {
        _ = try share(cached.serialized)
        return cached
      }
      let listing = try FolderListing.scan(location, progress: progress)
      cache.store(listing)
      _ = try share(listing.serialized)
      return listing
    }
  }
}
