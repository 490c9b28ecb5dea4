/// A directory to list: of the file system, or of an archive as unpacking it would make it.
protocol ListedDirectory {
  associatedtype Identity: Hashable

  /// Equal for the same directory, by whichever links it is reached.
  var identity: Identity { get }

  /// Whether splits are looked for in its directories, too.
  var isSearched: Bool { get }

  /// What is in it, in any order.
  func entries() throws(DatasetError) -> [ListedEntry<Self>]
}

/// A name in a directory, and what is there when links have been followed.
struct ListedEntry<Directory: ListedDirectory> {
  enum Kind {
    case file
    case directory(Directory)
    /// No file and no directory.
    case nothing(PassedOver.Reason)
  }

  let name: [UInt8]
  let kind: Kind

  /// Of the system, of a desktop, of an editor, of ours: by convention no data.
  var isHidden: Bool { name.first == UInt8(ascii: ".") }
}

extension ListedDirectory {
  var isSearched: Bool { true }

  /// The directories in it by name, sorted by bytes; hidden ones are left out.
  func subdirectories() throws(DatasetError) -> [(name: [UInt8], directory: Self)] {
    var found: [(name: [UInt8], directory: Self)] = []
    for entry in try entries() {
      if case .directory(let directory) = entry.kind, !entry.isHidden {
        found.append((entry.name, directory))
      }
    }
    return found.sorted { $0.name.lexicographicallyPrecedes($1.name) }
  }
}
