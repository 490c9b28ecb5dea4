/// An image folder, `ROOT/<split>/<class>/<image>`; samples are sorted by class, then by file name.
/// Listing it reads each directory once and touches no file; a file is opened when its sample is
/// read.
public struct ImageFolder: ImageSource {
  public let location: String
  public let classes: [String]
  public let labels: [Int32]
  private let fileNames: NameTable

  /// - Parameter listing: who lists the files; with several ranks, `Method` says which one.
  public init(
    path: String, split: String, listing method: FolderListing.Method = .alone
  ) throws {
    location = path + "/" + split
    let listing = try method.listing(path: path, split: split)
    classes = listing.classes.map(\.name)
    labels = listing.classes.enumerated().flatMap { label, entry in
      repeatElement(Int32(label), count: entry.count)
    }
    fileNames = listing.files
  }

  public func name(of index: Int) -> String {
    "\(location)/\(classes[Int(labels[index])])/\(fileNames[index])"
  }

  public var listingHash: UInt64 { fileNames.hash }

  public func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {
    try readFile(name(of: index), into: &bytes)
  }
}
