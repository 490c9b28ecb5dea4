import Support

/// A split of an image folder, `ROOT/<split>/<class>/**/<image>`, as `FolderListing` finds and orders
/// it. Listing reads each directory once and touches no file; a file is opened when its sample is read.
public struct ImageFolder: ImageSource {
  public let location: String
  public let classes: [String]
  public let labels: [Int32]
  public let passedOver: PassedOver
  private let directory: RawPath
  private let fileNames: NameTable

  /// - Parameters:
  ///   - splits: the first of them that is there counts.
  ///   - listing: who lists the files; with several ranks, `Method` says which one.
  public init(
    path: String, splits: [String], listing method: FolderListing.Method = .alone
  ) throws {
    let listing = try method.listing(path: path, splits: splits)
    directory =
      listing.split == SplitSearch<FileSystemDirectory>.wholeDataSet
      ? RawPath(path) : RawPath(path).appending(listing.split.bytes)
    location = "\(directory)"
    classes = listing.classes.map(\.name)
    labels = listing.labels
    passedOver = listing.passedOver
    fileNames = listing.files
  }

  public func name(of index: Int) -> String { "\(path(of: index))" }

  public var listingHash: UInt64 { fileNames.hash }

  public func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {
    try onFiles(readFile(path(of: index), into: &bytes))
  }

  private func path(of index: Int) -> RawPath {
    directory.appending(classes[Int(labels[index])].utf8).appending(fileNames.utf8(index))
  }
}
