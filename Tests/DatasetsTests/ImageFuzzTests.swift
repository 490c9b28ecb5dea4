import Tensors
import Testing

@testable import Datasets

/// Damaged images give an error or a result, through decoding and transform, never a crash.
struct ImageFuzzTests {
  private static let files = [
    "444.jpg", "422.jpg", "420.jpg", "440.jpg", "progressive.jpg", "restart.jpg", "gray.jpg",
    "cmyk.jpg", "ycck.jpg", "extraneous.jpg", "tagged.jpg", "rgb.png", "rgba.png", "gray.png",
    "gray-alpha.png", "1-bit.png", "palette.png", "palette-2-bit.png", "gamma.png", "deep.png",
    "deep-gray.png", "tagged.png",
  ]
  private static let cases = 400

  @Test(arguments: files) func damagedImagesDoNoHarm(file: String) throws {
    let whole = try Fixture.bytes(file)
    var jitter = ColorJitter()
    (jitter.brightness, jitter.saturation, jitter.hue) = (0.4, 0.4, 0.5)
    let lists: [[any AugmentationStep]] = [
      [Resize(), CenterCrop()], [RandomResizedCrop(), RandomHorizontalFlip(), jitter],
      [Resize(size: 20), RandAugment(), CenterCrop(size: 24), RandomCrop()],
      [
        TrivialAugment(), AutoAugment(.cifar10), RandomCrop(padding: 3), RandomErasing(),
        GrayCutout(),
      ],
    ]
    let decoders = [ImageDecoder(), ImageDecoder(shorterSide: 8)]
    var image = DecodedImage()
    var outcomes = (results: 0, errors: 0)
    for number in 0..<Self.cases {
      var random = RandomStream(
        seed: 1, purpose: .augmentation, time: number, index: Self.files.firstIndex(of: file)!)
      let bytes = damaged(whole, &random)
      let channels = number % 3 == 0 ? 1 : 3
      let transform = try ImageTransform(
        steps: lists[number % 4], normalization: .unit, imageSize: 16, channels: channels)
      var scratch = transform.makeScratch()
      var output = [Float](repeating: .nan, count: transform.outputCount)
      do {
        try decoders[number / 4 % 2].decode(bytes, name: file, channels: channels, into: &image)
      } catch {
        // A pattern in the catch itself crashes the compiler (6.3.1).
        guard case .undecodable(file, _) = error else { throw error }
        outcomes.errors += 1
        continue
      }
      output.withUnsafeMutableBufferPointer {
        transform.apply(to: &image, random: &random, scratch: &scratch, output: $0)
      }
      try #require(output.allSatisfy { $0.isFinite }, "case \(number)")
      outcomes.results += 1
    }
    // Both happen, so the damage is neither without effect nor always noticed at once.
    #expect(outcomes.results > 0 && outcomes.errors > 0)
    // The decoders are as good as new.
    try decoders[0].decode(whole, name: file, channels: 3, into: &image)
    #expect(image == (try Fixture.decoded(file, channels: 3)))
  }

  /// A file with some damage. Half of the damaged PNGs have right checksums, since without them
  /// everything ends there.
  private func damaged(_ whole: [UInt8], _ random: inout RandomStream) -> [UInt8] {
    var bytes = whole
    for _ in 0...random.uniform(below: 4) {
      let position = random.uniform(below: bytes.count)
      switch random.uniform(below: 6) {
      case 0: bytes[position] ^= 1 << UInt8(random.uniform(below: 8))
      case 1: bytes[position] = UInt8(random.uniform(below: 256))
      case 2: bytes[position] = [0, 1, 0x7F, 0x80, 0xFF][random.uniform(below: 5)]
      case 3: if bytes.count > 1 { bytes.remove(at: position) }
      case 4:
        let end = min(position + 1 + random.uniform(below: 16), bytes.count)
        bytes.insert(contentsOf: bytes[position..<end], at: random.uniform(below: bytes.count))
      default:
        if random.uniform(below: 4) == 0 { bytes.removeLast(bytes.count - max(position, 1)) }
      }
    }
    if whole[0] == 0x89 && random.uniform(below: 2) == 0 { correctChecksums(&bytes) }
    return bytes
  }

  private func correctChecksums(_ bytes: inout [UInt8]) {
    var chunk = 8
    while chunk + 12 <= bytes.count {
      let length = bytes[chunk..<chunk + 4].reduce(0) { $0 << 8 | Int($1) }
      guard chunk + 12 + length <= bytes.count else { return }
      let end = chunk + 8 + length
      // CRC-32, as PNG defines it.
      var checksum: UInt32 = .max
      for byte in bytes[chunk + 4..<end] {
        checksum ^= UInt32(byte)
        for _ in 0..<8 { checksum = checksum >> 1 ^ (checksum & 1 == 1 ? 0xEDB8_8320 : 0) }
      }
      for index in 0..<4 {
        bytes[end + index] = UInt8(truncatingIfNeeded: ~checksum >> UInt32(24 - 8 * index))
      }
      chunk = end + 4
    }
  }
}
