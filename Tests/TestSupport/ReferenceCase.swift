import Foundation
import SafeTensors

/// A case of `TrainingTests/Fixtures`: one batch, and what an independent implementation of a method in
/// PyTorch (float64) makes of it.
public struct ReferenceCase: Sendable {
  public struct Settings: Decodable, Sendable {
    public struct SGD: Decodable, Sendable {
      public var lr, momentum, weight_decay: Double
    }
    public var family: String
    public var blocks: [Int]?
    public var width, classes, channels, size, timesteps: Int
    public var `static`: Bool
    public var tau: Float
    public var surrogate, method: String
    public var chosen_timesteps: [Int]
    public var mse_weight: Float
    public var mse_target: String
    public var mse_mean: Float
    public var sgd: SGD
    // Those of cases that have further neurons, normalisations and methods.
    public var stem, normalization, neuron, reset, firing, threshold: String?
    public var detach_reset: Bool?
    public var levels: Int?
  }

  /// All of them, as NAME.METHOD.
  public static let all: [String] = {
    let files = try! FileManager.default.contentsOfDirectory(atPath: directory.path)
    return files.filter { $0.hasSuffix(".safetensors") }.map { String($0.dropLast(12)) }.sorted()
  }()

  public static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../TrainingTests/Fixtures").standardized

  public let file: SafeTensorsFile
  public let settings: Settings

  /// - Parameter name: NAME.METHOD
  public init(_ name: String) throws {
    file = try SafeTensorsFile(
      contentsOf: Self.directory.appendingPathComponent("\(name).safetensors").path)
    settings = try JSONDecoder().decode(Settings.self, from: Data(file.metadata["config"]!.utf8))
  }

  /// The family as configuration files name it.
  public var family: String {
    ["nfresnet": "nf-resnet", "nfresnet-bottleneck": "nf-resnet-bottleneck", "vgg11": "vgg"][
      settings.family] ?? settings.family
  }

  /// Blocks of each stage.
  public var blocks: [Int] { settings.blocks ?? [1, 1, 2, 2, 2] }

  /// The largest difference from a tensor of the file, relative to that tensor's largest entry; infinite
  /// where the numbers of elements differ, or something is not a number.
  public func relativeDifference(_ actual: [Float], from tensor: String) throws -> Float {
    let expected = try file.floats(tensor)
    var largest = expected.reduce(0) { max($0, abs($1)) }
    if largest < 1e-12 {
      // A bias before batch norm has no gradient but rounding errors, which are as large as those of the
      // weights beside it.
      let weights = tensor.replacingOccurrences(of: ".bias", with: ".weight")
      largest = try file.floats(weights).reduce(0) { max($0, abs($1)) }
    }
    return largestDifference(actual, expected) / largest
  }
}
