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

  /// What is averaged over the time steps, named as in configuration files.
  public enum Kind: String, CaseIterable, Sendable {
    /// The losses of the logits of each time step.
    case meanOfLosses = "mean-of-losses"
    /// The logits, which then have one loss.
    case lossOfMean = "loss-of-mean"
  }

  public var kind: Kind
  /// What the loss of each time step is multiplied by; `nil`: 1. For the mean of losses.
  public var stepWeights: [Float]?
  /// λ: the weight of the squared error against the cross-entropy.
  public var mseWeight: Float
  public var mseTarget: Target
  /// The number of a constant target.
  public var mseMean: Float
  /// ε: the share of the cross-entropy's target that is spread evenly over all classes.
  public var labelSmoothing: Float
  /// Where a teacher's outputs are learnt besides.
  public var distillation: Distillation?

  public init(
    kind: Kind = .meanOfLosses, stepWeights: [Float]? = nil, mseWeight: Float = 0,
    mseTarget: Target = .constant, mseMean: Float = 1, labelSmoothing: Float = 0,
    distillation: Distillation? = nil
  ) {
    self.kind = kind
    self.stepWeights = stepWeights
    self.mseWeight = mseWeight
    self.mseTarget = mseTarget
    self.mseMean = mseMean
    self.labelSmoothing = labelSmoothing
    self.distillation = distillation
  }
}

/// The labels of samples that are mixed with others.
public struct LabelMixture: Equatable, Sendable {
  /// How much of each sample is of the class of its label, 0 to 1.
  public var share: Float
  /// The class of the rest of each sample.
  public var partners: [Int]

  public init(share: Float, partners: [Int]) {
    (self.share, self.partners) = (share, partners)
  }
}

/// The loss of a batch, gathered time step by time step (SLTT, arXiv 2302.14311, section 4.1):
///
///     L = sum over t of w[t] ((1 - λ) crossEntropy(logits[t], label) + λ mean (logits[t] - target)²) / T
///
/// or the same of the mean of the logits, once (`LossSpecification.Kind`). Weights w of time steps and the
/// squared error with a constant target are those of TET (Deng et al., ICLR 2022).
///
/// With label smoothing ε and samples that are mixed, the target of the cross-entropy is
/// `(1 - ε) (share label + (1 - share) partner) + ε / classes`, and the one-hot target of the squared
/// error is the same without ε. `Distillation` says what becomes of the loss where there is a teacher.
///
/// The loss is averaged over the global batch, of which a rank may hold a part: the sum over the ranks is the
/// loss.
public final class Loss {
  private let specification: LossSpecification
  private let timesteps: Int
  private var labels: [Int] = []
  private var mixture: LabelMixture?
  /// The log-probabilities that a teacher gives the classes of each sample, where there is one.
  private var taught: [[Double]]?
  private var globalCount = 1
  private var classes = 0
  /// The logits of the local samples [N, classes], summed over the time steps so far.
  public private(set) var logitSums: [Float] = []
  /// The gradients of trained time steps, where each has a loss of its own.
  private var pending: [SharedTensor] = []
  /// Where the loss is that of the mean: the trained time steps whose gradient was not taken, the latest
  /// logits, and the gradient that all these have.
  private var sharers: (count: Int, logits: SharedTensor?, gradient: SharedTensor?) = (0, nil, nil)

  /// The local samples' part of the loss, over the trained time steps so far.
  public private(set) var value = 0.0

  public init(_ specification: LossSpecification, timesteps: Int) {
    self.specification = specification
    self.timesteps = timesteps
  }

  /// Starts a batch.
  ///
  /// - Parameters:
  ///   - labels: class of each local sample.
  ///   - mixture: what the samples are mixed with.
  ///   - teacher: a teacher's logits for each local sample; left out: the loss is that of the labels.
  ///   - globalCount: samples of the batch on all ranks.
  public func begin(
    labels: [Int], mixture: LabelMixture? = nil, teacher: [[Float]]? = nil, globalCount: Int
  ) {
    precondition(pendingSteps == 0, "a gradient of the last batch was not taken")
    precondition(mixture.map { $0.partners.count == labels.count } ?? true, "one partner a sample")
    precondition(teacher.map { $0.count == labels.count } ?? true, "one lesson a sample")
    taught = teacher?.map(specification.distillation!.logProbabilities)
    self.labels = labels
    self.mixture = mixture
    self.globalCount = globalCount
    value = 0
    logitSums.removeAll(keepingCapacity: true)
  }

  /// Time steps whose gradient has not been taken.
  public var pendingSteps: Int { pending.count + sharers.count }

  /// Takes the logits [N, 1, 1, classes] of time step `t`; of a trained one, the loss and its gradient as well,
  /// which replaces the logits.
  public func add(_ logits: consuming SharedTensor, at t: Int, isTrained: Bool) {
    addToSums(logits.tensor)
    guard isTrained else { return }
    guard specification.kind == .meanOfLosses else {
      (sharers.count, sharers.logits) = (sharers.count + 1, logits)
      return
    }
    let weight = Double(specification.stepWeights?[t] ?? 1)
    addSamples(&logits.tensor, times: weight / Double(timesteps))
    pending.append(logits)
  }

  /// Takes the logits of time step `t` for the loss, but not for its gradient.
  func addValue(_ logits: consuming SharedTensor, at t: Int) {
    add(logits, at: t, isTrained: true)
    if specification.kind == .meanOfLosses || t == timesteps - 1 {
      while pendingSteps > 0 { _ = popGradient() }
    }
  }

  /// dL/dlogits of the latest time step whose gradient was not taken. Where the loss is that of the mean, all
  /// time steps must have come.
  public func popGradient() -> SharedTensor {
    guard specification.kind == .lossOfMean else { return pending.removeLast() }
    let gradient =
      sharers.gradient
      ?? {
        let gradient = gradientOfMean(replacing: sharers.logits!)
        gradient.tensor.scale(by: 1 / Float(timesteps))
        return gradient
      }()
    let count = sharers.count - 1
    sharers = (count, nil, count > 0 ? gradient : nil)
    return gradient
  }

  /// The loss of the mean of all logits, and its gradient with respect to that, which takes the place of
  /// `logits`.
  func gradientOfMean(replacing logits: SharedTensor) -> SharedTensor {
    precondition(logits.tensor.shape.count == logitSums.count)
    let share = 1 / Float(timesteps)
    for index in logitSums.indices { logits.tensor[index] = logitSums[index] * share }
    addSamples(&logits.tensor, times: 1)
    return logits
  }

  private func addToSums(_ logits: borrowing Tensor) {
    classes = logits.shape.c
    precondition(logits.shape.n == labels.count)
    if logitSums.isEmpty {
      logitSums.append(contentsOf: repeatElement(0, count: logits.shape.count))
    }
    for index in logitSums.indices { logitSums[index] += logits[index] }
  }

  /// Replaces logits by the gradient of their loss, and adds that.
  private func addSamples(_ logits: inout Tensor, times weight: Double) {
    let share = weight / Double(globalCount)
    guard let taught, let distillation = specification.distillation else {
      for sample in labels.indices { addSample(sample, &logits, times: share) }
      return
    }
    let taughtShare = share * Double(distillation.weight)
    for sample in labels.indices {
      let places = sample * classes..<(sample + 1) * classes
      let lesson = distillation.loss(of: places.map { logits[$0] }, teacher: taught[sample])
      addSample(sample, &logits, times: share - taughtShare)
      for (place, gradient) in zip(places, lesson.gradient) {
        logits[place] += Float(gradient * taughtShare)
      }
      value += lesson.value * taughtShare
    }
  }

  private func addSample(_ sample: Int, _ logits: inout Tensor, times share: Double) {
    let (first, label) = (sample * classes, labels[sample])
    let partner = mixture?.partners[sample] ?? label
    let ownShare = Double(mixture?.share ?? 1)
    let ε = Double(specification.labelSmoothing)
    let λ = Double(specification.mseWeight)
    var largest = -Double.infinity
    for c in 0..<classes { largest = max(largest, Double(logits[first + c])) }
    var total = 0.0
    for c in 0..<classes { total += exp(Double(logits[first + c]) - largest) }
    var expected = ownShare * Double(logits[first + label])
    if ownShare < 1 { expected += (1 - ownShare) * Double(logits[first + partner]) }
    if ε > 0 {
      var sum = 0.0
      for c in 0..<classes { sum += Double(logits[first + c]) }
      expected = (1 - ε) * expected + ε * sum / Double(classes)
    }
    let crossEntropy = log(total) + largest - expected
    var squares = 0.0
    for c in 0..<classes {
      let logit = Double(logits[first + c])
      let membership = (c == label ? ownShare : 0) + (c == partner ? 1 - ownShare : 0)
      let target =
        switch specification.mseTarget {
        case .constant: Double(specification.mseMean)
        case .oneHot: membership
        }
      squares += (logit - target) * (logit - target)
      let probability = exp(logit - largest) / total
      let gradient =
        (1 - λ) * (probability - (1 - ε) * membership - ε / Double(classes)) + λ * 2
        * (logit - target) / Double(classes)
      logits[first + c] = Float(gradient * share)
    }
    value += ((1 - λ) * crossEntropy + λ * squares / Double(classes)) * share
  }

  /// What the network says of a local sample after the last time step; nil where it says nothing.
  public func prediction(of sample: Int) -> Prediction? {
    Prediction(
      logitSums: logitSums[sample * classes..<(sample + 1) * classes], timesteps: timesteps)
  }

  /// Local samples whose label is among the `count` greatest sums of logits over the time steps; of
  /// mixed samples, the label of the greater share.
  public func correct(amongTop count: Int) -> Int {
    let classOf = mixture.map { $0.share < 0.5 ? $0.partners : labels } ?? labels
    return labels.indices.count { sample in
      let sums = logitSums[sample * classes..<(sample + 1) * classes]
      let own = sums[sums.startIndex + classOf[sample]]
      let rank = sums.indices.count {
        sums[$0] > own || sums[$0] == own && $0 < sums.startIndex + classOf[sample]
      }
      return rank < count && own.isFinite
    }
  }
}
