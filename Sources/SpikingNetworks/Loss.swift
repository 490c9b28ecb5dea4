import Foundation
import Tensors

/// What the logits of each time step are held against.
public struct LossSpecification: Equatable, Sendable {
  /// The target of the squared error, named as in configuration files.
  public enum Target: String, CaseIterable, Sendable {
    /// The same number for every class.
    case constant
    /// 1 for the label's class, 0 for the others.
    case oneHot = "one-hot"
  }

  /// λ: the weight of the squared error against the cross-entropy.
  public var mseWeight: Float
  public var mseTarget: Target
  /// The number of a constant target.
  public var mseMean: Float

  public init(mseWeight: Float = 0, mseTarget: Target = .constant, mseMean: Float = 1) {
    self.mseWeight = mseWeight
    self.mseTarget = mseTarget
    self.mseMean = mseMean
  }
}

/// The loss of a batch, gathered time step by time step (SLTT, arXiv 2302.14311, section 4.1):
///
///     L[t] = ((1 - λ) crossEntropy(logits[t], label) + λ mean (logits[t] - target)²) / T
///
/// averaged over the global batch, of which a rank may hold a part: the sum over the ranks is the loss.
public final class Loss {
  private let specification: LossSpecification
  private let timesteps: Int
  private var labels: [Int] = []
  private var globalCount = 1
  private var classes = 0
  private var logitSums: [Float] = []
  private var pending = Stack<Tensor>()

  /// The local samples' part of the loss, over the trained steps so far.
  public private(set) var value = 0.0

  public init(_ specification: LossSpecification, timesteps: Int) {
    self.specification = specification
    self.timesteps = timesteps
  }

  /// Starts a batch.
  ///
  /// - Parameters:
  ///   - labels: class of each local sample.
  ///   - globalCount: samples of the batch on all ranks.
  public func begin(labels: [Int], globalCount: Int) {
    precondition(pending.isEmpty, "a gradient of the last batch was not taken")
    self.labels = labels
    self.globalCount = globalCount
    value = 0
    logitSums.removeAll(keepingCapacity: true)
  }

  /// Steps whose gradient has not been taken.
  public var pendingSteps: Int { pending.count }

  /// Takes a step's logits [N, 1, 1, classes]; of a trained step, the loss and its gradient as well.
  public func add(_ logits: consuming Tensor, isTrained: Bool) {
    classes = logits.shape.c
    precondition(logits.shape.n == labels.count)
    if logitSums.isEmpty {
      logitSums.append(contentsOf: repeatElement(0, count: logits.shape.count))
    }
    for index in logitSums.indices { logitSums[index] += logits[index] }
    guard isTrained else { return }
    var gradient = logits
    for sample in labels.indices { addSample(sample, &gradient) }
    pending.push(gradient)
  }

  /// dL/dlogits of the latest step whose gradient was not taken.
  public func popGradient() -> Tensor { pending.pop() }

  /// Replaces a sample's logits by their gradient.
  private func addSample(_ sample: Int, _ logits: inout Tensor) {
    let (first, label) = (sample * classes, labels[sample])
    let λ = Double(specification.mseWeight)
    let share = 1 / Double(globalCount * timesteps)
    var largest = -Double.infinity
    for c in 0..<classes { largest = max(largest, Double(logits[first + c])) }
    var total = 0.0
    for c in 0..<classes { total += exp(Double(logits[first + c]) - largest) }
    let crossEntropy = log(total) + largest - Double(logits[first + label])
    var squares = 0.0
    for c in 0..<classes {
      let logit = Double(logits[first + c])
      let isLabel = c == label
      let target =
        switch specification.mseTarget {
        case .constant: Double(specification.mseMean)
        case .oneHot: isLabel ? 1.0 : 0.0
        }
      squares += (logit - target) * (logit - target)
      let probability = exp(logit - largest) / total
      let gradient =
        (1 - λ) * (probability - (isLabel ? 1 : 0)) + λ * 2 * (logit - target) / Double(classes)
      logits[first + c] = Float(gradient * share)
    }
    value += ((1 - λ) * crossEntropy + λ * squares / Double(classes)) * share
  }

  /// Local samples whose label is among the `count` greatest sums of logits over the time steps.
  public func correct(amongTop count: Int) -> Int {
    labels.indices.count { sample in
      let sums = logitSums[sample * classes..<(sample + 1) * classes]
      let own = sums[sums.startIndex + labels[sample]]
      let rank = sums.indices.count {
        sums[$0] > own || sums[$0] == own && $0 < sums.startIndex + labels[sample]
      }
      return rank < count && own.isFinite
    }
  }
}
