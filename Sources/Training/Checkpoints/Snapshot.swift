import SafeTensors
import SpikingNetworks
import Tensors

/// Everything that training changes, of one moment: copies, so that files can be written while training
/// goes on, or the very buffers, so that it has to wait.
struct Snapshot: @unchecked Sendable {
  // Nobody changes these buffers meanwhile, and parameters do not change once their network is made.
  private let parameters: [Parameter]
  private let statistics: [Parameter]
  private let store: ParameterStore
  private let weights: FloatView
  private let statisticValues: FloatView
  private let optimizerState: [(name: String, values: FloatView)]
  /// Whether training can go on.
  let isCopy: Bool

  /// - Parameters:
  ///   - gathered: the optimizer's state where it is spread over the ranks.
  ///   - copies: whether to copy what training changes.
  init(
    _ network: SpikingNetwork, _ optimizer: any ParameterOptimizer,
    gathered: [(name: String, values: FlatBuffer)]? = nil, copies: Bool = true
  ) {
    func kept(_ view: FloatView) -> FloatView { copies ? FlatBuffer(copying: view).all : view }
    isCopy = copies
    store = network.store
    parameters = store.parametersInForwardOrder
    statistics = store.statistics
    weights = kept(store.weights.all)
    statisticValues = kept(store.statisticValues.all)
    optimizerState =
      gathered?.map { ($0.name, $0.values.all) }
      ?? optimizer.state.map { ($0.name, kept($0.values)) }
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

  private func tensor(_ name: String, _ parameter: Parameter, _ buffer: FloatView) -> SafeTensor {
    .floats(
      name, shape: parameter.shape, parameter.published(buffer[store.range(of: parameter)]))
  }
}
