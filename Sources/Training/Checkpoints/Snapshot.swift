import SafeTensors
import SpikingNetworks
import Tensors

/// Copies of everything that training changes, of one moment, so that files can be written from them
/// while training goes on.
struct Snapshot: @unchecked Sendable {
  // Nobody else has these buffers, and parameters do not change once their network is made.
  private let parameters: [Parameter]
  private let statistics: [Parameter]
  private let store: ParameterStore
  private let weights: FlatBuffer
  private let statisticValues: FlatBuffer
  private let optimizerState: [(name: String, values: FlatBuffer)]

  /// - Parameter gathered: the optimizer's state where it is spread over the ranks.
  init(
    _ network: SpikingNetwork, _ optimizer: any ParameterOptimizer,
    gathered: [(name: String, values: FlatBuffer)]? = nil
  ) {
    store = network.store
    parameters = store.parametersInForwardOrder
    statistics = store.statistics
    weights = FlatBuffer(copying: store.weights.all)
    statisticValues = FlatBuffer(copying: store.statisticValues.all)
    optimizerState =
      gathered ?? optimizer.state.map { ($0.name, FlatBuffer(copying: $0.values)) }
  }

  /// Parameters and running statistics under their published names and in their published shapes.
  var modelTensors: [SafeTensor] {
    parameters.map { tensor($0.name, $0, weights) }
      + statistics.map { tensor($0.name, $0, statisticValues) }
  }

  /// The optimizer's state, as `STATE.PARAMETER`, in the shape of the parameter.
  var optimizerTensors: [SafeTensor] {
    parameters.flatMap { parameter in
      optimizerState.map { tensor("\($0.name).\(parameter.name)", parameter, $0.values) }
    }
  }

  /// Bytes of all tensors.
  var byteCount: Int {
    4 * (weights.count * (1 + optimizerState.count) + statisticValues.count)
  }

  private func tensor(_ name: String, _ parameter: Parameter, _ buffer: FlatBuffer) -> SafeTensor {
    .floats(
      name, shape: parameter.shape, parameter.published(buffer[store.range(of: parameter)]))
  }
}
