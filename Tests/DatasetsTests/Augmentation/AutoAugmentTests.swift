import Foundation
import Tensors
import Testing

@testable import Datasets

struct AutoAugmentTests {
  /// One of a pair, as torchvision has it for images of 224 x 192 pixels (Fixtures/make_operations.py).
  private struct Published: Decodable, Equatable {
    let name: String
    let p: Double
    let magnitude: Float

    init(name: String, p: Double, magnitude: Float) {
      (self.name, self.p, self.magnitude) = (name, p, magnitude)
    }

    init(from decoder: any Decoder) throws {
      var values = try decoder.unkeyedContainer()
      name = try values.decode(String.self)
      p = try values.decode(Double.self)
      magnitude = try values.decode(Float.self)
    }
  }

  @Test(arguments: AutoAugment.Policy.allCases)
  func pairsAndMagnitudesAreTorchvisions(policy: AutoAugment.Policy) throws {
    let published = try JSONDecoder().decode(
      [String: [[Published]]].self, from: Data(Fixture.bytes("auto_augment.json")))
    let pairs = policy.pairs.map { pair in
      pair.map { choice in
        let name = "\(choice.operation)"
        return Published(
          name: name.prefix(1).uppercased() + name.dropFirst(), p: choice.p,
          magnitude: OperationScale.randAugment(choice.operation, width: 224, height: 192)
            .value(at: choice.bin, of: 10))
      }
    }
    #expect(pairs == published[policy.rawValue])
  }

  /// What an operation makes of an image, at a magnitude with either sign.
  private func results(
    _ choice: AutoAugment.Policy.Choice, _ image: DecodedImage
  ) -> [DecodedImage] {
    let scale = OperationScale.randAugment(
      choice.operation, width: image.width, height: image.height)
    let magnitude = Double(scale.value(at: choice.bin, of: 10))
    var isSigned = false
    if case .signed = scale.kind { isSigned = true }
    return (isSigned ? [magnitude, -magnitude] : [magnitude]).map { magnitude in
      var (canvas, result) = (ImageCanvas(imageSize: 8), image)
      canvas.load(&result)
      choice.operation.apply(magnitude, fill: 9, to: &canvas)
      canvas.edit { result = $0 }
      return result
    }
  }

  /// Every result as often as its pair, probabilities and signs make it.
  @Test(arguments: AutoAugment.Policy.allCases)
  func resultsAreAsFrequentAsTheirPairs(policy: AutoAugment.Policy) throws {
    let image = try Fixture.decoded("rgb.png", channels: 3)
    var expected: [[UInt8]: Double] = [:]
    for pair in policy.pairs {
      var outcomes = [(image: image, p: 1 / 25.0)]
      for choice in pair {
        outcomes = outcomes.flatMap { outcome in
          let results = results(choice, outcome.image)
          let share = outcome.p * choice.p / Double(results.count)
          return [(outcome.image, outcome.p * (1 - choice.p))] + results.map { ($0, share) }
        }
      }
      for outcome in outcomes { expected[outcome.image.pixels, default: 0] += outcome.p }
    }
    var step = AutoAugment(policy)
    step.fill = 9
    var counts: [[UInt8]: Double] = [:]
    let draws = 4000
    for index in 0..<draws {
      var random = RandomStream(seed: 6, purpose: .augmentation, index: index)
      var (canvas, result) = (ImageCanvas(imageSize: 8), image)
      canvas.load(&result)
      step.apply(to: &canvas, random: &random)
      canvas.edit { counts[$0.pixels, default: 0] += 1 }
    }
    #expect(Set(counts.keys).isSubset(of: expected.filter { $0.value > 0 }.keys))
    for (pixels, p) in expected {
      let deviation = (p * (1 - p) * Double(draws)).squareRoot()
      #expect(abs(counts[pixels, default: 0] - p * Double(draws)) <= 4 * deviation + 1)
    }
  }
}
