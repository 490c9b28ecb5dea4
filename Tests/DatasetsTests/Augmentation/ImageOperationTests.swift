import Foundation
import Testing

@testable import Datasets

/// Operations against pixels that torchvision's PIL back end made (Fixtures/make_operations.py).
struct ImageOperationTests {
  private static let operations: [String: ImageOperation] = [
    "Identity": .identity, "ShearX": .shearX, "ShearY": .shearY, "TranslateX": .translateX,
    "TranslateY": .translateY, "Rotate": .rotate, "Brightness": .brightness, "Color": .color,
    "Contrast": .contrast, "Sharpness": .sharpness, "Posterize": .posterize,
    "Solarize": .solarize, "AutoContrast": .autoContrast, "Equalize": .equalize,
    "Invert": .invert,
  ]

  private func apply(
    _ name: String, _ magnitude: Double, to image: DecodedImage, fill: UInt8 = 0
  ) throws -> DecodedImage {
    var canvas = ImageCanvas(imageSize: 8)
    var result = image
    canvas.load(&result)
    if name == "Hue" {
      canvas.edit { $0.adjustHue(magnitude) }
    } else {
      try #require(Self.operations[name]).apply(magnitude, fill: fill, to: &canvas)
    }
    canvas.edit { result = $0 }
    return result
  }

  @Test("Pixels are those of torchvision's PIL back end", arguments: [3, 1])
  func pixelsArePillows(channels: Int) throws {
    let cases = try #require(
      try JSONSerialization.jsonObject(with: Data(Fixture.bytes("operations.json"))) as? [[Any]])
    let image = try Fixture.decoded("rgb.png", channels: channels)
    let expected = try Fixture.bytes(channels == 3 ? "operations.rgb" : "operations.gray")
    let size = image.pixels.count
    #expect(expected.count == cases.count * size)
    for (index, entry) in cases.enumerated() {
      let name = try #require(entry[0] as? String)
      let magnitude = try #require(entry[1] as? Double)
      let result = try apply(name, magnitude, to: image)
      let pixels = Array(expected[index * size..<(index + 1) * size])
      #expect(zip(result.pixels, pixels).count { $0 != $1 } == 0, "\(name) \(magnitude)")
    }
  }

  @Test("Magnitudes are torchvision's", arguments: [("rand", 31), ("rand", 10), ("trivial", 31)])
  func magnitudesAreTorchvisions(policy: String, bins: Int) throws {
    let tables = try JSONDecoder().decode(
      [String: [String: [Double]]].self, from: Data(Fixture.bytes("magnitudes.json")))
    let table = try #require(tables["\(policy) \(bins)"])
    #expect(Set(table.keys) == Set(Self.operations.keys).subtracting(["Invert"]))
    for (name, expected) in table {
      let operation = try #require(Self.operations[name])
      let scale: OperationScale =
        policy == "rand"
        ? .randAugment(operation, width: 224, height: 192) : .trivialAugment(operation)
      let magnitudes = (0..<bins).map { Double(scale.value(at: $0, of: bins)) }
      if expected.count == 1 {
        #expect(magnitudes.allSatisfy { $0 == expected[0] }, "\(name)")
      } else {
        #expect(magnitudes == expected, "\(name)")
      }
    }
  }

  @Test func whatComesFromOutsideIsFilled() throws {
    let image = DecodedImage(width: 3, height: 1, channels: 1, pixels: [10, 20, 30])
    #expect(try apply("TranslateX", 2, to: image, fill: 99).pixels == [99, 99, 10])
    #expect(try apply("TranslateX", -1, to: image, fill: 7).pixels == [20, 30, 7])
  }

  @Test func flatAndTinyImagesAreLeftAlone() throws {
    for channels in [1, 3] {
      let flat = DecodedImage(
        width: 2, height: 2, channels: channels,
        pixels: Array(repeating: 77, count: 4 * channels))
      for name in ["AutoContrast", "Equalize", "Sharpness", "Color", "Hue"] {
        #expect(try apply(name, 0.4, to: flat) == flat)
      }
    }
  }
}
