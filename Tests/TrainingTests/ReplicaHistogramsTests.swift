import Distributed
import Testing

@testable import Training

struct ReplicaHistogramsTests {
  @Test func showWhatIsThere() throws {
    let job = try SmallJob(["model.blocks=[1]", "model.width=4"], SingleProcess())
    let names = job.network.store.parameters.map(\.name)
    let layers = try #require(try job.evaluate().firing).layers
    let before = job.trainer.replica.histograms()
    #expect(
      Set(before.keys)
        == Set(names.map { "weights/\($0)" } + layers.map { "membrane_potential/\($0.name)" }))
    let last = try #require(layers.last)
    // The last batch of the validation has 3 of its 13 images.
    #expect(
      before["membrane_potential/\(last.name)"]?.counts.reduce(0, +) == 3 * last.neurons)
    try job.trainOnce()
    let after = job.trainer.replica.histograms()
    for parameter in job.network.store.parameters {
      #expect(after["weights/\(parameter.name)"]?.counts.reduce(0, +) == parameter.count)
      let gradients = parameter.gradient.elements.map(Double.init)
      #expect(after["gradients/\(parameter.name)"]?.least == gradients.min())
      #expect(after["gradients/\(parameter.name)"]?.greatest == gradients.max())
    }
  }
}
