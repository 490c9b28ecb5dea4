/// A network that cannot be.
public struct NetworkError: Error, Equatable, CustomStringConvertible {
  /// What would have to change. Where the parts are those of a published network, all but a part by itself
  /// follows from a few values of the configuration.
  public enum Cause: Equatable, Sendable {
    /// The value of a key of the configuration, which is given by its name.
    case setting(String)
    case imageTooSmall, imageTooLarge, tooFewChannels, tooManyWeights
    /// The parts, whatever the image.
    case composition
    /// The machine.
    case memory
  }

  /// A layer that does not fit.
  public struct Layer: Equatable, Sendable {
    /// Its path, such as `layer1.0.conv1`, or words for a part without one.
    public let name: String
    /// Which of the written parts it is, counted depth first.
    public let number: Int
  }

  public let cause: Cause
  /// Where it shows; `nil`: in no single layer.
  public let layer: Layer?
  /// Follows the layer's or the key's name.
  public let problem: String

  init(_ cause: Cause, _ problem: String, layer: Layer? = nil) {
    (self.cause, self.layer, self.problem) = (cause, layer, problem)
  }

  public var description: String {
    if let layer { return "\(layer.name) \(problem)" }
    if case .setting(let key) = cause { return "\(key) \(problem)" }
    return "the network \(problem)"
  }
}
