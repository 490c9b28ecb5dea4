import Tensors
import Testing

@testable import Datasets

struct ImageTransformTests {
  /// 6 x 6 pixels whose samples are 1, 2, 3, …, so that every one is known by its value.
  private let numbered = DecodedImage(
    width: 6, height: 6, channels: 3, pixels: Array(1...108))

  private func apply(
    _ augmentation: AugmentationPreset, isTraining: Bool = true, size: Int = 6, epoch: Int = 0,
    index: Int = 0
  ) throws -> [Float] {
    let transform = try ImageTransform(
      augmentation: .preset(augmentation), normalization: .none, isTraining: isTraining,
      imageSize: size, channels: 3)
    return run(transform, numbered, epoch: epoch, index: index)
  }

  private func run(
    _ transform: ImageTransform, _ image: DecodedImage, epoch: Int = 0, index: Int = 0
  ) -> [Float] {
    var random = RandomStream(seed: 1, purpose: .augmentation, time: epoch, index: index)
    var scratch = transform.makeScratch()
    var image = image
    var output = [Float](repeating: .nan, count: transform.outputCount)
    output.withUnsafeMutableBufferPointer {
      transform.apply(to: &image, random: &random, scratch: &scratch, output: $0)
    }
    return output
  }

  @Test(arguments: [AugmentationPreset.none, .cifar, .shift])
  func evaluationLeavesAnImageOfTheRightSizeAsItIs(preset: AugmentationPreset) throws {
    #expect(try apply(preset, isTraining: false) == numbered.pixels.map(Float.init))
  }

  @Test func shiftsMoveTheImageOverZerosAndReachEveryOffset() throws {
    var offsets: Set<[Int]> = []
    for index in 0..<400 {
      let output = try apply(.shift, index: index)
      offsets.insert(try #require(offset(of: output, flipped: false)))
    }
    #expect(offsets.count == 25)
    #expect(offsets.allSatisfy { $0.allSatisfy { abs($0) <= 2 } })
  }

  @Test func cifarCropsMoveUpToFourPixelsAndFlipHalfOfTheTime() throws {
    var offsets: Set<[Int]> = []
    var flips = 0
    for index in 0..<2000 {
      let output = try apply(.cifar, index: index)
      if let plain = offset(of: output, flipped: false) {
        offsets.insert(plain)
      } else {
        offsets.insert(try #require(offset(of: output, flipped: true)))
        flips += 1
      }
    }
    #expect(offsets.count == 81)
    #expect(abs(flips - 1000) < 100)
  }

  /// The shift (x, y) by which the numbered image became `output`.
  private func offset(of output: [Float], flipped: Bool) -> [Int]? {
    for dy in -4...4 {
      for dx in -4...4 where shifted(dx, dy, flipped: flipped) == output { return [dx, dy] }
    }
    return nil
  }

  private func shifted(_ dx: Int, _ dy: Int, flipped: Bool) -> [Float] {
    var result = [Float](repeating: 0, count: 108)
    for row in 0..<6 {
      for column in 0..<6 {
        let (x, y) = ((flipped ? 5 - column : column) + dx, row + dy)
        guard 0..<6 ~= x, 0..<6 ~= y else { continue }
        for channel in 0..<3 {
          result[(row * 6 + column) * 3 + channel] =
            Float(numbered.pixels[(y * 6 + x) * 3 + channel])
        }
      }
    }
    return result
  }

  @Test func pixelsThatStepsNeedDependOnTheFirstOneOfASize() throws {
    func needed(_ steps: [any AugmentationStep]) throws -> Int {
      try ImageTransform(steps: steps, normalization: .none, imageSize: 224, channels: 3).neededSide
    }
    #expect(try needed([RandomHorizontalFlip(), Resize(size: 256), CenterCrop()]) == 256)
    #expect(try needed([RandomResizedCrop(), Cutout()]) == 304)
    #expect(try needed([RandomCrop(), Resize()]) == .max)
    #expect(try needed([]) == .max)
  }

  @Test func imagenetEvaluatesTheCentreOfAnEnlargedImage() throws {
    // 28 becomes 32: Resize(32) and CenterCrop(28).
    let transform = try ImageTransform(
      augmentation: .preset(.imagenet), normalization: .none, isTraining: false, imageSize: 28,
      channels: 3)
    let photo = try Fixture.decoded("photo.png", channels: 3)
    #expect(run(transform, photo) == (try Fixture.bytes("center.32.28.rgb").map(Float.init)))
    let resize = Augmentation.preset(.imagenet).evaluationSteps(imageSize: 224)[0] as? Resize
    #expect(resize?.size == 256)
  }

  @Test(arguments: AugmentationPreset.allCases)
  func choicesDependOnEpochAndSampleOnly(preset: AugmentationPreset) throws {
    #expect(try apply(preset, epoch: 2, index: 5) == apply(preset, epoch: 2, index: 5))
    let outputs = try Set((0..<20).map { try apply(preset, epoch: $0, index: 5) })
    #expect((outputs.count > 5) == (preset != .none))
  }

  @Test func anImageOfAnotherSizeIsResizedFirst() throws {
    let transform = try ImageTransform(
      augmentation: .preset(.cifar), normalization: .unit, isTraining: true, imageSize: 28,
      channels: 3)
    let output = run(transform, try Fixture.decoded("photo.png", channels: 3))
    #expect(output.count == 28 * 28 * 3)
    #expect(output.allSatisfy { (0...1).contains($0) })
  }
}
