import Foundation
import Tensors
import Testing

@testable import Datasets

struct AugmentationStepTests {
  /// 6 x 6 pixels whose samples are 1, 2, 3, …, so that every one is known by its value.
  private let numbered = DecodedImage(width: 6, height: 6, channels: 3, pixels: Array(1...108))

  /// What steps make of an image.
  private func run(
    _ steps: [any AugmentationStep], _ image: DecodedImage, imageSize: Int = 6, index: Int = 0
  ) -> DecodedImage {
    var canvas = ImageCanvas(imageSize: imageSize)
    var result = image
    var random = RandomStream(seed: 5, purpose: .augmentation, index: index)
    canvas.load(&result)
    for case let step as any PixelStep in steps { step.apply(to: &canvas, random: &random) }
    canvas.edit { result = $0 }
    return result
  }

  /// A step with other parameters than its own.
  private func with<Step: AugmentationStep>(_ step: Step, _ change: (inout Step) -> Void) -> Step {
    var step = step
    change(&step)
    return step
  }

  @Test(
    "The centre of the resized image is torchvision's",
    arguments: [(32, 28), (36, 31), (41, 41), (50, 50)])
  func centerIsTorchvisions(shorterSide: Int, imageSize: Int) throws {
    let result = run(
      [Resize(size: shorterSide), CenterCrop()], try Fixture.decoded("photo.png", channels: 3),
      imageSize: imageSize)
    #expect(result.pixels == (try Fixture.bytes("center.\(shorterSide).\(imageSize).rgb")))
  }

  @Test func aResizeThatIsPutOffGivesWhatOneAtOnceWould() throws {
    let photo = try Fixture.decoded("photo.png", channels: 3)
    for index in 0..<20 {
      let steps: [any AugmentationStep] = [Resize(size: 20), CenterCrop(size: 17), RandomCrop()]
      let late = run(steps, photo, imageSize: 13, index: index)
      var resized = run([Resize(size: 20)], photo)
      var canvas = ImageCanvas(imageSize: 13)
      var random = RandomStream(seed: 5, purpose: .augmentation, index: index)
      canvas.load(&resized)
      CenterCrop(size: 17).apply(to: &canvas, random: &random)
      RandomCrop().apply(to: &canvas, random: &random)
      var early = DecodedImage()
      canvas.edit { early = $0 }
      #expect(late == early)
    }
  }

  @Test func halfPixelsRoundToEvenAndSmallImagesGetAMargin() {
    #expect([1, 3, 5, 7, 4].map(CenterCrop.offset) == [0, 2, 2, 4, 2])
    #expect([-1, -2, -3].map(CenterCrop.offset) == [0, -1, -1])
    let result = run(
      [CenterCrop(size: 3)], DecodedImage(width: 1, height: 2, channels: 1, pixels: [5, 6]))
    #expect(result.pixels == [0, 5, 0, 0, 6, 0, 0, 0, 0])
  }

  @Test func cropsThatMissTheImageAreEmpty() {
    var canvas = ImageCanvas(imageSize: 2)
    for (x, y) in [(-9, 0), (9, 0), (0, -9), (0, 9), (6, 6), (-2, -2)] {
      var image = numbered
      canvas.load(&image)
      canvas.crop(PixelRectangle(x: x, y: y, width: 2, height: 2))
      canvas.edit { #expect($0.pixels == Array(repeating: 0, count: 12)) }
    }
  }

  @Test func randomRegionsCoverTheirRangesAndStayInside() {
    let step = RandomResizedCrop()
    var areas: [Double] = []
    var aspects: [Double] = []
    for index in 0..<4000 {
      var random = RandomStream(seed: 3, purpose: .augmentation, index: index)
      let region = step.region(ofWidth: 500, height: 400, random: &random)
      #expect(region.x >= 0 && region.x + region.width <= 500)
      #expect(region.y >= 0 && region.y + region.height <= 400)
      areas.append(Double(region.width * region.height) / 200_000)
      aspects.append(Double(region.width) / Double(region.height))
    }
    // Rounding to whole pixels moves the limits a little.
    #expect((0.07...0.09).contains(areas.min()!) && areas.max()! > 0.9)
    #expect(aspects.allSatisfy { (0.74...1.35).contains($0) })
    // Uniform in the logarithm: as often wide as tall, but for large areas that only fit wide.
    let wide = zip(areas, aspects).filter { $0 < 0.5 && $1 > 1 }.count
    let small = areas.filter { $0 < 0.5 }.count
    #expect(abs(Double(wide) / Double(small) - 0.5) < 0.05)
  }

  @Test func anImageOfExtremeShapeGivesItsCentre() {
    let step = with(RandomResizedCrop()) { $0.scale = 0.9...1 }
    var random = RandomStream(seed: 1, purpose: .augmentation)
    let wide = step.region(ofWidth: 1000, height: 30, random: &random)
    #expect(wide == PixelRectangle(x: 480, y: 0, width: 40, height: 30))
    let tall = step.region(ofWidth: 30, height: 1000, random: &random)
    #expect(tall == PixelRectangle(x: 0, y: 480, width: 30, height: 40))
    // The whole strip would have more pixels than any image may.
    let strip = DecodedImage(
      width: 1, height: 100_000, channels: 1, pixels: Array(repeating: 9, count: 100_000))
    let result = run([Resize(size: 64), CenterCrop(size: 64)], strip)
    #expect(result.pixels == Array(repeating: 9, count: 64 * 64))
  }

  @Test func flipsMirrorWithTheirProbability() {
    for (p, expected) in [(0.0, 0...0), (0.3, 230...370), (1.0, 1000...1000)] {
      let step = with(RandomHorizontalFlip()) { $0.p = p }
      let flips = (0..<1000).count { index in
        let result = run([step], numbered, index: index)
        guard result != numbered else { return false }
        #expect(result.pixels.prefix(6) == [16, 17, 18, 13, 14, 15])
        return true
      }
      #expect(expected.contains(flips))
    }
    let odd = DecodedImage(width: 3, height: 2, channels: 1, pixels: [1, 2, 3, 4, 5, 6])
    #expect(
      run([with(RandomHorizontalFlip()) { $0.p = 1 }], odd).pixels == [3, 2, 1, 6, 5, 4])
  }

  /// The orders of four things.
  private static let orders: [[Int]] = (0..<24).map { number in
    var left = [0, 1, 2, 3]
    return [6, 2, 1, 1].map { left.remove(at: number / $0 % left.count) }
  }

  /// What a jitter draws for a sample: factors of brightness, contrast and saturation, and a turn.
  private func jitterFactors(_ step: ColorJitter, index: Int) -> [Double] {
    var random = RandomStream(seed: 5, purpose: .augmentation, index: index)
    // The order.
    for choices in [4, 3, 2] { _ = random.uniform(below: choices) }
    var factors: [Double] = []
    for strength in [step.brightness, step.contrast, step.saturation] {
      factors.append(random.uniform(in: 1 - strength...1 + strength))
    }
    return factors + [random.uniform(in: -step.hue...step.hue)]
  }

  /// An image after some of the adjustments brightness, contrast, saturation and hue.
  private func adjusted(
    _ image: DecodedImage, _ order: [Int], _ factors: [Double]
  ) -> DecodedImage {
    var image = image
    for adjustment in order {
      switch adjustment {
      case 0: image.adjustBrightness(factors[0])
      case 1: image.adjustContrast(factors[1])
      case 2: image.adjustSaturation(factors[2])
      default: image.adjustHue(factors[3])
      }
    }
    return image
  }

  @Test func eachJitterIsAnAdjustmentByARandomFactor() throws {
    let photo = try Fixture.decoded("rgb.png", channels: 3)
    let strengths: [WritableKeyPath<ColorJitter, Double>] = [
      \.brightness, \.contrast, \.saturation, \.hue,
    ]
    for (adjustment, strength) in strengths.enumerated() {
      let step = with(ColorJitter()) { $0[keyPath: strength] = 0.4 }
      for index in 0..<20 {
        let factors = jitterFactors(step, index: index)
        #expect(run([step], photo, index: index) == adjusted(photo, [adjustment], factors))
      }
    }
    #expect(run([ColorJitter()], photo) == photo)
  }

  @Test func jitterIsTheAdjustmentsInSomeOrder() throws {
    let photo = try Fixture.decoded("rgb.png", channels: 3)
    let step = with(ColorJitter()) {
      ($0.brightness, $0.contrast, $0.saturation, $0.hue) = (0.4, 0.4, 0.4, 0.1)
    }
    var found: Set<[Int]> = []
    for index in 0..<100 {
      let result = run([step], photo, index: index)
      let factors = jitterFactors(step, index: index)
      let order = Self.orders.first { adjusted(photo, $0, factors) == result }
      found.insert(try #require(order, "sample \(index)"))
    }
    #expect(found.count > 12)
  }

  @Test(arguments: [
    (32, AutoAugment.Policy.cifar10, ["resize", "center_crop", "random_crop"]),
    (64, .cifar10, ["resize", "center_crop", "random_crop"]),
    (65, .imagenet, ["random_resized_crop"]), (224, .imagenet, ["random_resized_crop"]),
  ]) func autoAugmentSuitsTheSizeOfTheImages(
    imageSize: Int, policy: AutoAugment.Policy, frame: [String]
  ) throws {
    let steps = AugmentationPreset.autoAugment.steps(imageSize: imageSize)
    #expect(
      steps.map { type(of: $0).name } == frame + ["random_horizontal_flip", "auto_augment"])
    #expect(try #require(steps.last as? AutoAugment).policy == policy)
  }

  /// Some of 31 magnitudes, with either sign where they have one.
  private func magnitudes(_ scale: OperationScale, bins: Range<Int>) -> [Double] {
    let magnitudes = bins.map { Double(scale.value(at: $0, of: 31)) }
    if case .signed = scale.kind { return magnitudes + magnitudes.map { -$0 } }
    return magnitudes
  }

  /// Every result as often as operations, magnitudes and signs make it, all equally frequent.
  private func expectFrequencies(
    of step: any PixelStep, _ image: DecodedImage, _ magnitudes: (ImageOperation) -> [Double]
  ) {
    let operations = ImageOperation.allCases.filter { $0 != .invert }
    var expected: [[UInt8]: Double] = [:]
    for operation in operations {
      let magnitudes = magnitudes(operation)
      for magnitude in magnitudes {
        var (canvas, result) = (ImageCanvas(imageSize: 6), image)
        canvas.load(&result)
        operation.apply(magnitude, fill: 9, to: &canvas)
        canvas.edit { result = $0 }
        expected[result.pixels, default: 0] += 1 / Double(operations.count * magnitudes.count)
      }
    }
    // So many that the absence of a single magnitude shows.
    let draws = 30_000
    var counts: [[UInt8]: Double] = [:]
    for index in 0..<draws { counts[run([step], image, index: index).pixels, default: 0] += 1 }
    #expect(Set(counts.keys).isSubset(of: expected.keys))
    for (pixels, p) in expected {
      let deviation = (p * (1 - p) * Double(draws)).squareRoot()
      #expect(abs(counts[pixels, default: 0] - p * Double(draws)) <= 5 * deviation + 1)
    }
  }

  @Test func operationsMagnitudesAndSignsAreEquallyFrequent() throws {
    let photo = try Fixture.decoded("rgb.png", channels: 3)
    expectFrequencies(of: with(TrivialAugment()) { $0.fill = 9 }, photo) {
      magnitudes(.trivialAugment($0), bins: 0..<31)
    }
    let rand = with(RandAugment()) { ($0.operations, $0.fill) = (1, 9) }
    expectFrequencies(of: rand, photo) {
      magnitudes(.randAugment($0, width: photo.width, height: photo.height), bins: 9..<10)
    }
    let none = with(RandAugment()) { $0.operations = 0 }
    #expect(run([none], photo) == photo)
  }

  // MARK: Erasing

  /// The rectangle of `image`, `[side, side, 3]`, that is not 1, if there is any and it is one with
  /// a value in all channels.
  private func hole(_ image: [Float], side: Int, value: Float = 0) -> PixelRectangle? {
    let erased = image.indices.filter { image[$0] != 1 }
    guard !erased.isEmpty else { return nil }
    #expect(erased.allSatisfy { image[$0] == value })
    let (rows, columns) = (erased.map { $0 / 3 / side }, erased.map { $0 / 3 % side })
    let rectangle = PixelRectangle(
      x: columns.min()!, y: rows.min()!, width: columns.max()! - columns.min()! + 1,
      height: rows.max()! - rows.min()! + 1)
    #expect(erased.count == rectangle.width * rectangle.height * 3)
    return rectangle
  }

  private func erase(_ step: any ErasingStep, side: Int, index: Int) throws -> [Float] {
    var values = [Float](repeating: 1, count: side * side * 3)
    let normalization = try Normalization(.none, channels: 3)
    values.withUnsafeMutableBufferPointer { values in
      var random = RandomStream(seed: 8, purpose: .augmentation, index: index)
      step.apply(
        to: NormalizedImage(
          values: values, side: side, channels: 3, normalization: normalization),
        random: &random)
    }
    return values
  }

  @Test func randomErasingCoversItsRanges() throws {
    let holes = try (0..<2000).map {
      hole(try erase(RandomErasing(), side: 64, index: $0), side: 64)
    }
    let found = holes.compactMap(\.self)
    #expect((900...1100).contains(found.count))
    let areas = found.map { Double($0.width * $0.height) / 4096 }
    #expect((0.015...0.03).contains(areas.min()!) && (0.3...0.35).contains(areas.max()!))
    let taller = found.count { $0.height > $0.width }
    #expect(abs(Double(taller) / Double(found.count) - 0.5) < 0.06)
  }

  @Test func randomErasingFillsWithItsValue() throws {
    let step = with(RandomErasing()) { ($0.p, $0.value) = (1, .constant(0.25)) }
    for index in 0..<20 {
      let image = try erase(step, side: 16, index: index)
      #expect(hole(image, side: 16, value: 0.25) != nil)
    }
  }

  @Test func randomErasingWithNoiseIsNormallyDistributed() throws {
    let step = with(RandomErasing()) {
      $0.p = 1
      $0.scale = 0.5...0.5
      $0.ratio = 1...1
      $0.value = .random
    }
    let noise = try erase(step, side: 100, index: 0).filter { $0 != 1 }
    #expect(noise.count > 14_700)
    let mean = noise.reduce(0, +) / Float(noise.count)
    let variance = noise.reduce(0) { $0 + $1 * $1 } / Float(noise.count)
    #expect(abs(mean) < 0.06 && abs(variance - 1) < 0.1)
  }

  @Test func cutoutIsASquareAroundAnyPixelCutOffAtTheEdge() throws {
    let step = with(Cutout()) { $0.size = 8 }
    var seen: Set<Int> = []
    for index in 0..<3000 {
      let square = try #require(hole(try erase(step, side: 16, index: index), side: 16))
      #expect((4...8).contains(square.width) && (4...8).contains(square.height))
      if square.width < 8 { #expect(square.x == 0 || square.x + square.width == 16) }
      seen.insert((square.y * 16 + square.x) * 16 + square.width)
    }
    #expect(seen.count > 150)
  }

  @Test func grayCutoutIsOneGrayOfAllChannels() throws {
    let normalization = try Normalization(.imagenet, channels: 3)
    var grays: Set<Int> = []
    var count = 0
    for index in 0..<1500 {
      var values = [Float](repeating: 99, count: 32 * 32 * 3)
      values.withUnsafeMutableBufferPointer { values in
        var random = RandomStream(seed: 8, purpose: .augmentation, index: index)
        GrayCutout().apply(
          to: NormalizedImage(
            values: values, side: 32, channels: 3, normalization: normalization),
          random: &random)
      }
      let erased = values.indices.filter { values[$0] != 99 }
      guard let first = erased.first else { continue }
      count += 1
      let gray = Int((values[first] * 0.229 + 0.485) * 255 + 0.5)
      grays.insert(gray)
      normalization.withTable { table in
        #expect(erased.allSatisfy { values[$0] == table[$0 % 3 * 256 + gray] })
      }
      #expect((0.01...0.41).contains(Double(erased.count) / Double(values.count)))
    }
    #expect((650...850).contains(count))
    #expect(grays.count > 200 && grays.contains { $0 < 8 } && grays.contains { $0 > 247 })
  }

  // MARK: Lists

  @Test func listsThatDoNotFitAreRefused() throws {
    func problem(
      _ steps: [any AugmentationStep], isTraining: Bool = true
    ) throws -> String {
      let error = #expect(throws: AugmentationError.self) {
        try checkAugmentation(steps, isTraining: isTraining, imageSize: 32)
      }
      return try #require(error).problem
    }
    #expect(try problem([Resize()]).contains("any shape, but data.image_size is 32"))
    #expect(try problem([]).contains("add center_crop"))
    #expect(try problem([CenterCrop(size: 28)]).contains("28 x 28"))
    #expect(
      try problem([Cutout(), CenterCrop()]).contains("center_crop after cutout"))
    #expect(
      try problem([Resize(), RandomCrop()], isTraining: false).contains("random_crop"))
    #expect(
      try problem([CenterCrop(), with(RandAugment()) { $0.magnitude = 31 }])
        .contains("magnitude = 31"))
    for preset in AugmentationPreset.allCases {
      for imageSize in [32, 224] {
        try checkAugmentation(
          preset.steps(imageSize: imageSize), isTraining: true, imageSize: imageSize)
        try checkAugmentation(
          Augmentation.preset(preset).evaluationSteps(imageSize: imageSize), isTraining: false,
          imageSize: imageSize)
      }
    }
    try checkAugmentation(
      [CenterCrop(size: 8), Resize(), Cutout(), RandomErasing()], isTraining: true, imageSize: 32)
  }
}
