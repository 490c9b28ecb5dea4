import Tensors
import Testing

@testable import SpikingNetworks

struct ParameterStoreTests {
  @Test func parametersAreRangesOfFlatBuffersTheLastFirst() {
    let parameters = [
      Parameter("a", shape: [2, 3], .constant(1)), Parameter("b", shape: [], .constant(2)),
    ]
    let statistics = [Parameter("mean", shape: [2], .constant(3))]
    let store = ParameterStore(
      parameters: parameters, statistics: statistics, seed: 0, tailCount: 4)
    #expect(store.parameters.map(\.name) == ["b", "a"])
    #expect(store.weights.all.elements == [2, 1, 1, 1, 1, 1, 1])
    #expect(store.statisticValues.all.elements == [3, 3])
    #expect(store.reduction.count == 7 + 2 + 4)
    #expect(store.reduction.all.elements.allSatisfy { $0 == 0 })

    parameters[0].gradient.fill(5)
    store.statisticTail.fill(6)
    store.tail.fill(7)
    #expect(store.gradients.elements == [0, 5, 5, 5, 5, 5, 5])
    let metrics = [Float](repeating: 7, count: 4)
    #expect(store.reduction.all.elements == [0, 5, 5, 5, 5, 5, 5, 6, 6] + metrics)
    #expect(store.range(of: statistics[0]) == 0..<2 && store.range(of: parameters[1]) == 0..<1)
    statistics[0].values[1] = 8
    #expect(store.statisticValues.all.elements == [3, 8])
  }
}
