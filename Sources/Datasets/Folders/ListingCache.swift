import Foundation
import Support

/// Keeps the listing of a split from run to run: beside the data in `ROOT/<split>/.sltt-index`, or,
/// where that cannot be written, in the user's directory for caches.
///
/// A listing counts as long as the directories have their names and modification times. What cannot
/// be read, or is damaged, is as if it were not there.
struct ListingCache {
  private let split: FileSystemDirectory
  private let candidates: [String]

  /// - Parameter directory: for caches that cannot lie beside the data.
  init(_ split: FileSystemDirectory, directory: String? = userCacheDirectory()) {
    self.split = split
    let location = "\(split.path)"
    let absolute = URL(fileURLWithPath: location).standardizedFileURL.path
    let key = String(XXHash64.hash(Array(absolute.utf8)), radix: 16)
    candidates =
      [location + "/.sltt-index"] + (directory.map { ["\($0)/\(key).sltt-index"] } ?? [])
  }

  /// The listing as it was stored, if the directories are still the same.
  func load() -> FolderListing? {
    for path in candidates {
      var bytes: [UInt8] = []
      guard (try? readFile(path, into: &bytes)) != nil,
        let listing = FolderListing(serialized: bytes), listing.isCurrent(split)
      else { continue }
      return listing
    }
    return nil
  }

  /// Stores a listing where it can; without such a place the next run lists again.
  ///
  /// A directory that was changed a moment ago may be changed again within the resolution of its
  /// modification time, so then nothing is stored; nor where links lead to nothing, because what they
  /// lead to may come without a change of any directory here.
  func store(_ listing: FolderListing, now: Int = time(nil)) {
    guard listing.directories.allSatisfy({ $0.modified.seconds < now - 2 }),
      listing.passedOver.counts[.brokenLink] == nil
    else { return }
    let bytes = listing.serialized
    for path in candidates {
      let directory = (path as NSString).deletingLastPathComponent
      if directory != "\(split.path)" {
        try? FileManager.default.createDirectory(
          atPath: directory, withIntermediateDirectories: true)
      }
      if (try? writeFile(path, bytes)) != nil { return }
    }
  }
}
