import Foundation
import SpikingNetworks
import Tensors
import Testing

@testable import Training

struct IterationMetricsTests {
  private func metrics(spikes: [Int], neurons: Int = 10) -> IterationMetrics {
    var metrics = IterationMetrics()
    metrics.samples = 4
    metrics.enter(
      FiringStatistics(
        layers: [.init(name: "sn", neurons: neurons, spikes: spikes)],
        samples: spikes.map { _ in 4 }))
    return metrics
  }

  /// Floats alone would round such counts, and their sums over ranks.
  @Test func countsTravelExactly() {
    let counts = [0, 1, 4095, 4096, 1 << 24 + 1, 1 << 36 - 1, 1 << 40 + 12345]
    let buffer = FlatBuffer(count: ExactCount.floats)
    for count in counts {
      let sum = FlatBuffer(count: ExactCount.floats)
      for _ in 0..<200 {
        ExactCount.write(count, to: buffer.all)
        for index in 0..<ExactCount.floats { sum.all[index] += buffer.all[index] }
      }
      #expect(ExactCount.read(from: sum.all) == 200 * count)
    }
    let sent = metrics(spikes: [1 << 24 + 1, 3, 7])
    let tail = FlatBuffer(count: sent.numberCount)
    sent.write(to: tail.all)
    var received = metrics(spikes: [0, 0, 0])
    received.read(from: tail.all)
    #expect(received == sent && received.spikes == Double(1 << 24 + 11))
  }

  @Test func firingAddsUp() throws {
    var total = IterationMetrics()
    total.add(metrics(spikes: [1, 2]))
    total.add(metrics(spikes: [3, 4, 5]))
    #expect(total.firing?.layers[0].spikes == [4, 6, 5] && total.firing?.samples == [8, 8, 4])
    #expect(total.spikes == 15 && total.neuronSteps == 200)
    // A resumed run may have layers of another size; only rates of the present ones make sense.
    total.add(metrics(spikes: [1, 1], neurons: 20))
    #expect(total.firing?.layers[0].spikes == [1, 1] && total.spikes == 17)
  }

  /// As firing does.
  @Test func inputsOfOtherLayersGiveWay() {
    func metrics(_ spikes: [Double]) -> IterationMetrics {
      var metrics = IterationMetrics()
      metrics.inputs = spikes.map { .init(spikes: $0, sites: 10) }
      return metrics
    }
    var total = metrics([1, 2])
    total.add(metrics([3, 4]))
    #expect(total.inputs?.map(\.spikes) == [4, 6] && total.inputs?.map(\.sites) == [20, 20])
    total.add(metrics([1, 1, 1]))
    #expect(total.inputs?.map(\.spikes) == [1, 1, 1])
  }

  /// As checkpoints of earlier versions have them.
  @Test func totalsWithoutLayersAreRead() throws {
    let json = """
      {"loss": 1, "samples": 8, "correct": 4, "correctTop5": 8, "spikes": 12, "neuronSteps": 100,
       "replaced": 0, "dataWait": 0.5}
      """
    var total = try JSONDecoder().decode(IterationMetrics.self, from: Data(json.utf8))
    #expect(total.firing == nil && total.firingRate == 0.12)
    total.add(metrics(spikes: [1, 2]))
    #expect(total.firing?.samples == [4, 4] && total.spikes == 15)
  }

  @Test func spikesThatLayersReadAddUpAndTravelExactly() {
    var total = IterationMetrics()
    total.spikeInputs = [SpikeInput(spikes: 1 << 24 + 1, elements: 1 << 30), SpikeInput()]
    var more = total
    more.spikeInputs = [SpikeInput(spikes: 2, elements: 3), SpikeInput()]
    total.add(more)
    #expect(total.spikeInputs?[0] == SpikeInput(spikes: 1 << 24 + 3, elements: 1 << 30 + 3))
    let tail = FlatBuffer(count: total.numberCount)
    total.write(to: tail.all)
    var received = more
    received.read(from: tail.all)
    #expect(received.spikeInputs == total.spikeInputs)
    #expect(received.spikeInputs?[1].rate == nil)
    // A resumed run may have other layers.
    total.add(IterationMetrics())
    more.spikeInputs = [SpikeInput(spikes: 1, elements: 2)]
    total.add(more)
    #expect(total.spikeInputs == more.spikeInputs)
  }
}
