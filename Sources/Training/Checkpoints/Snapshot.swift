import SafeTensors
import SpikingNetworks
import Tensors

/// Everything that training changes, of one moment: copies, so that files can be written while training
/// goes on, or the very buffers, so that it has to wait.
struct Snapshot: @unchecked Sendable {
  // Nobody changes these buffers meanwhile, and parameters do not change once their network is made.
  // What is no copy stays on the thread that made it.
  private let parameters: [Parameter]
  private let statistics: [Parameter]
  private let store: ParameterStore
  private let weights: FloatView
  private let statisticValues: FloatView
  /// The optimizer's buffers of state, each a way to that of a parameter.
  private let optimizerState: [(name: String, values: (Parameter) throws -> FloatView)]
  /// Whether training can go on.
  let isCopy: Bool

  /// - Parameters:
  ///   - gathering: brings the optimizer's state where it is divided among the ranks: at once, or, where
  ///     nothing is copied, while the tensors are written.
  ///   - copies: whether to copy what training changes.
  /// - Throws: `MPIError`.
  init(
    _ network: SpikingNetwork, _ optimizer: any ParameterOptimizer,
    gathering: OptimizerGathering? = nil, copies: Bool = true
  ) throws {
    func kept(_ view: FloatView) -> FloatView { copies ? FlatBuffer(copying: view).all : view }
    let store = network.store
    isCopy = copies
    self.store = store
    parameters = store.parametersInForwardOrder
    statistics = store.statistics
    weights = kept(store.weights.all)
    statisticValues = kept(store.statisticValues.all)
    guard let gathering else {
      optimizerState = optimizer.state.map { name, values in
        let values = kept(values)
        return (name, { values[store.range(of: $0)] })
      }
      return
    }
    guard copies else {
      optimizerState = gathering.names.map { ($0, gathering.next) }
      return
    }
    let whole = gathering.names.map { _ in FlatBuffer(count: store.weights.count) }
    for parameter in parameters {
      for buffer in whole {
        buffer[store.range(of: parameter)].assign(try gathering.next(parameter), times: 1)
      }
    }
    optimizerState = zip(gathering.names, whole).map { name, buffer in
      (name, { buffer[store.range(of: $0)] })
    }
  }

  /// Parameters and running statistics under their published names and in their published shapes.
  var modelTensors: [SafeTensor] {
    func tensor(_ parameter: Parameter, _ buffer: FloatView) -> SafeTensor {
      .floats(
        parameter.name, shape: parameter.shape,
        parameter.published(buffer[store.range(of: parameter)]))
    }
    return parameters.map { tensor($0, weights) } + statistics.map { tensor($0, statisticValues) }
  }

  /// The optimizer's state, as `STATE.PARAMETER`, in the shape of the parameter. To be written in this
  /// order.
  var optimizerTensors: [SafeTensor] {
    func tensor(
      _ state: String, _ parameter: Parameter, _ values: @escaping (Parameter) throws -> FloatView
    ) -> SafeTensor {
      .floats(
        "\(state).\(parameter.name)", shape: parameter.shape,
        try parameter.published(values(parameter)))
    }
    return parameters.flatMap { parameter in
      optimizerState.map { tensor($0.name, parameter, $0.values) }
    }
  }

  /// Bytes of all tensors.
  var byteCount: Int {
    4 * (weights.count * (1 + optimizerState.count) + statisticValues.count)
  }
}
