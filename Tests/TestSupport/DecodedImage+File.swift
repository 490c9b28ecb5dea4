import Datasets

extension DecodedImage {
  /// The pixels of a JPEG or PNG, in colour.
  public init(ofFile bytes: some Sequence<UInt8>) throws {
    self.init()
    try ImageDecoder().decode(Array(bytes), name: "the image", channels: 3, into: &self)
  }
}
