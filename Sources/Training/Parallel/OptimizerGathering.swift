import SpikingNetworks
import Tensors

/// The state of an optimizer that is divided among the ranks, on its way to rank 0: parameter by
/// parameter in the order of the forward pass, and of each one buffer of state after the other, so that
/// no rank needs room for more than one parameter.
///
/// Each step is a collective. All ranks have to go through all steps, by `next` or `finish`, also rank 0
/// where it can no longer use what it gets.
final class OptimizerGathering {
  private let shards: OptimizerShards
  private let store: ParameterStore
  private let state: [(name: String, values: FloatView)]
  /// Of one parameter; on rank 0.
  private let room: FlatBuffer?
  private var steps: [(parameter: Parameter, state: FloatView)].Iterator
  private var failure: (any Error)?

  init(
    _ shards: OptimizerShards, _ store: ParameterStore,
    _ state: [(name: String, values: FloatView)], isRoot: Bool
  ) {
    (self.shards, self.store, self.state) = (shards, store, state)
    room = isRoot ? FlatBuffer(count: store.parameters.map(\.count).max() ?? 0) : nil
    steps = store.parametersInForwardOrder.flatMap { parameter in
      state.map { (parameter, $0.values) }
    }.makeIterator()
  }

  /// Names of the buffers of state.
  var names: [String] { state.map(\.name) }

  /// The next buffer of state of a parameter, on rank 0; valid until the next step.
  ///
  /// - Throws: `MPIError`.
  func next(_ parameter: Parameter) throws -> FloatView {
    guard let step = steps.next(), step.parameter === parameter else {
      preconditionFailure("the state of \(parameter.name) is not the next one")
    }
    guard let room else { preconditionFailure("rank 0 alone has the state") }
    let values = room[0..<parameter.count]
    try take(step, into: values)
    return values
  }

  /// Goes through the steps that are left.
  ///
  /// - Throws: `MPIError`, also one that a step before threw.
  func finish() throws {
    if let failure { throw failure }
    while let step = steps.next() {
      try take(step, into: room?[0..<step.parameter.count])
    }
  }

  private func take(
    _ step: (parameter: Parameter, state: FloatView), into values: FloatView?
  ) throws {
    do {
      try shards.gather(store.range(of: step.parameter), of: step.state, into: values)
    } catch {
      failure = error
      throw error
    }
  }
}
