import Support

extension FolderListing {
  /// Who lists an image folder or an archive, one process for itself or one rank for all of a job, and who
  /// is told how that gets on.
  public struct Method: Sendable {
    /// Whether this process reads the directories, or the archive's headers.
    let lists: Bool
    /// Returns the listing process's bytes on all ranks; every rank calls it once a listing.
    let share: @Sendable ([UInt8]) throws -> [UInt8]
    let progress: @Sendable () -> Void
    let report: @Sendable (String) -> Void

    /// - Parameters:
    ///   - isRoot: whether this rank reads the directories; exactly one does.
    ///   - broadcast: returns the root's bytes on all ranks.
    ///   - progress: is called whenever the work gets on.
    ///   - report: is told every few seconds how far it is, on the rank that does it for others.
    public init(
      isRoot: Bool, broadcast: @escaping @Sendable ([UInt8]) throws -> [UInt8],
      progress: @escaping @Sendable () -> Void = {}, report: @escaping @Sendable (String) -> Void
    ) {
      (lists, share, self.progress, self.report) = (isRoot, broadcast, progress, report)
    }

    /// This process lists for itself.
    public static let alone = Method(isRoot: true, broadcast: { $0 }, report: { _ in })

    /// The listing of the first of some splits that is there, from its cache if that is current.
    func listing(path: String, splits: [String]) throws -> FolderListing {
      guard lists else {
        guard let listing = FolderListing(serialized: try share([])) else {
          throw DatasetError.unreadable(
            path: path, reason: "the listing from the root rank is damaged")
        }
        return listing
      }
      let root = try FileSystemDirectory(path: RawPath(path))
      let (split, directory) = try SplitSearch(path: path, root: root).find(splits)
      let listing = try listing(of: directory, split: split)
      _ = try share(listing.serialized)
      return listing
    }

    private func listing(
      of directory: FileSystemDirectory, split: RawPath
    ) throws -> FolderListing {
      let cache = ListingCache(directory)
      if var cached = cache.load() {
        // The directory may have been moved.
        cached.split = split
        return cached
      }
      let listing = try FolderListing.scan(directory, split: split, self)
      cache.store(listing)
      return listing
    }
  }
}
