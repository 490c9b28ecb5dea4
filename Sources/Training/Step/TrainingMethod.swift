import Configuration
import Tensors

/// A method of training: which time steps are back-propagated, and when.
public struct TrainingMethod: Equatable, Sendable {
  public typealias Name = Configuration.Method.Name

  public let name: Name
  /// Time steps T of the forward pass.
  public let timesteps: Int
  /// Time steps that are back-propagated in an iteration: T unless the method is SLTT-K.
  public let trainedCount: Int
  /// Whether an iteration ends with its last trained step. Gradients are the same; accuracy and firing
  /// rate come from the steps that ran, and running statistics of batch norm would differ.
  public let skipsTrailing: Bool

  /// - Parameters:
  ///   - k: time steps to train in each iteration, `1...timesteps`; for SLTT-K only.
  ///   - skipsTrailing: whether steps after the last trained one do not run.
  public init(_ name: Name, timesteps: Int, k: Int? = nil, skipsTrailing: Bool = false) {
    precondition(timesteps >= 1, "no time steps")
    precondition((name == .slttK) == (k != nil), "k is needed by SLTT-K, and only by it")
    let trainedCount = k ?? timesteps
    precondition((1...timesteps).contains(trainedCount), "k = \(trainedCount) of \(timesteps)")
    self.name = name
    self.timesteps = timesteps
    self.trainedCount = trainedCount
    self.skipsTrailing = skipsTrailing
  }

  /// How many steps are kept before they are back-propagated together.
  public var window: Int {
    name == .bptt ? timesteps : 1
  }

  /// The time steps that run in an iteration: whether each is back-propagated. SLTT-K draws its K steps
  /// without replacement, the same ones on all ranks.
  ///
  /// - Parameter iteration: counted over the whole run.
  public func trainedTimesteps(seed: UInt64, iteration: Int) -> [Bool] {
    guard trainedCount < timesteps else {
      return [Bool](repeating: true, count: timesteps)
    }
    var random = RandomStream(seed: seed, purpose: .trainedTimesteps, time: iteration)
    var needed = trainedCount
    // Selection sampling: Knuth, The Art of Computer Programming, section 3.4.2, algorithm S.
    var trained = (0..<timesteps).map { t in
      let isChosen = random.uniform(below: timesteps - t) < needed
      needed -= isChosen ? 1 : 0
      return isChosen
    }
    if skipsTrailing { trained.removeLast(timesteps - 1 - trained.lastIndex(of: true)!) }
    return trained
  }
}
