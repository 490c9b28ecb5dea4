import Support

/// The images of one split of a tar archive, `[…/]<split>/<class>/**/<image>`: the samples of the image
/// folder that unpacking it gives, in the same order. They are read from it one by one.
public struct ImageArchive: ImageSource {
  public let location: String
  public let classes: [String]
  public let labels: [Int32]
  public let passedOver: PassedOver
  private let fileNames: NameTable
  private let file: RandomAccessFile
  /// Of every sample, in the file.
  private let places: [Range<Int>]

  /// - Parameters:
  ///   - splits: the first of them that is there counts.
  ///   - method: who reads the archive's headers; with several ranks, `Method` says which one.
  public init(
    path: String, splits: [String], listing method: FolderListing.Method = .alone
  ) throws {
    try self.init(
      path: path, splits: splits, listing: method, largestInMemory: PlainTar.largestInMemory)
  }

  /// - Parameter largestInMemory: see `PlainTar`.
  init(
    path: String, splits: [String], listing method: FolderListing.Method, largestInMemory: Int
  ) throws {
    let (tar, found) = try method.open(
      archive: path, splits: splits, largestInMemory: largestInMemory)
    let listing = found.listing
    location = Self.location(path, listing.split)
    classes = listing.classes.map(\.name)
    labels = listing.labels
    passedOver = listing.passedOver
    fileNames = listing.files
    file = tar.file
    places = found.places
  }

  static func location(_ archive: String, _ split: RawPath) -> String { "\(archive):\(split)" }

  public func name(of index: Int) -> String {
    "\(location)/\(classes[Int(labels[index])])/\(fileNames[index])"
  }

  public var listingHash: UInt64 { fileNames.hash }

  public func copyHash() throws(DatasetError) -> UInt64 { try ArchiveState.content(of: file) }

  public func read(_ index: Int, into bytes: inout [UInt8]) throws(DatasetError) {
    try onFiles(file.read(places[index], into: &bytes))
  }
}
