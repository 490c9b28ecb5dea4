import Tensors

/// A network's parameters and running statistics as flat buffers, so that reducing, updating and saving
/// them are single passes over memory.
///
/// Parameters lie in the order in which the backward pass finishes them: the last layer's first.
public final class ParameterStore {
  /// In the order of memory.
  public let parameters: [Parameter]
  /// Running means and variances of batch norm, in the order of memory.
  public let statistics: [Parameter]
  /// All parameters' values.
  public let weights: FlatBuffer
  /// All parameters' gradients, then room for what ranks must agree on besides: the buffer that is
  /// all-reduced.
  public let reduction: FlatBuffer
  /// All running statistics.
  public let statisticValues: FlatBuffer

  private let ranges: [String: Range<Int>]

  /// - Parameters:
  ///   - parameters: in the order of the forward pass.
  ///   - statistics: in the order of the forward pass.
  ///   - tailCount: numbers that the trainer sends along with the gradients.
  init(parameters: [Parameter], statistics: [Parameter], seed: UInt64, tailCount: Int = 0) {
    self.parameters = parameters.reversed()
    self.statistics = statistics
    let total = parameters.reduce(0) { $0 + $1.count }
    let statisticTotal = statistics.reduce(0) { $0 + $1.count }
    weights = FlatBuffer(count: total)
    reduction = FlatBuffer(count: total + statisticTotal + tailCount)
    statisticValues = FlatBuffer(count: statisticTotal)
    var offset = 0
    var ranges: [String: Range<Int>] = [:]
    for parameter in self.parameters {
      let range = offset..<offset + parameter.count
      ranges[parameter.name] = range
      parameter.bind(values: weights[range], gradient: reduction[range])
      offset = range.upperBound
    }
    offset = 0
    for statistic in statistics {
      let range = offset..<offset + statistic.count
      ranges[statistic.name] = range
      statistic.bind(values: statisticValues[range], gradient: nil)
      offset = range.upperBound
    }
    self.ranges = ranges
    var number = 0
    for parameter in parameters + statistics {
      let values = parameter.initialization.values(
        count: parameter.count, seed: seed, parameter: number)
      parameter.assign(published: values, to: parameter.values)
      // Scalars, such as a learnt tau, have no number: all else begins as in the network without them.
      guard parameter.shape.isEmpty else {
        number += 1
        continue
      }
      guard case .constant = parameter.initialization else {
        preconditionFailure("\(parameter.name): a scalar cannot be drawn without a number")
      }
    }
  }

  /// In the order of the forward pass, as in the published model.
  public var parametersInForwardOrder: [Parameter] { parameters.reversed() }

  /// Where a parameter lies in a buffer laid out as `weights`, or a running statistic in one laid out as
  /// `statisticValues`.
  public func range(of parameter: Parameter) -> Range<Int> { ranges[parameter.name]! }

  /// Where consecutive parameters lie, given by their numbers in the order of the forward pass.
  func range(of numbers: Range<Int>) -> Range<Int> {
    precondition(!numbers.isEmpty)
    // The last in the order of the forward pass lies first.
    let first = parameters[parameters.count - numbers.upperBound]
    let last = parameters[parameters.count - 1 - numbers.lowerBound]
    return range(of: first).lowerBound..<range(of: last).upperBound
  }

  /// All parameters' gradients.
  public var gradients: FloatView { reduction[0..<weights.count] }

  /// Where running statistics travel in the reduction.
  public var statisticTail: FloatView {
    reduction[weights.count..<weights.count + statisticValues.count]
  }

  /// Where the trainer's numbers travel in the reduction.
  public var tail: FloatView {
    reduction[weights.count + statisticValues.count..<reduction.count]
  }
}
