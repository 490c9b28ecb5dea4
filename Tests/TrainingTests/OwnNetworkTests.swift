import Configuration
import Distributed
import SpikingNetworks
import Testing

@testable import Training

/// Training of networks that are written layer by layer.
struct OwnNetworkTests {
  /// A published network, and the same one written out and read back.
  @Test(
    arguments: [
      (["model.family=resnet"], ["data.augmentation=none"]),
      (["model.family=nf-resnet"], ["training.memory=lean"]),
      (["model.family=vgg"], ["model.dropout=0.2"]),
      (["model.family=nf-resnet-bottleneck"], ["neuron.kind=plif", "method.name=bptt"]),
    ])
  func hasTheBitsOfThePublishedOne(_ family: [String], _ options: [String]) throws {
    let published = try SmallJob(
      family + ["model.blocks=[1,2]", "model.width=4"] + options, SingleProcess())
    let layers = try #require(published.configuration.withLayers().value(of: "model.layers"))
    let own = try SmallJob(["model.layers=\(layers)"] + options, SingleProcess())
    #expect(own.configuration.model.family == nil && own.configuration.model.width == nil)
    for job in [published, own] { _ = try job.train(epochs: 1) }
    let (store, ownStore) = (published.network.store, own.network.store)
    let names = store.parameters.map(\.name)
    #expect(ownStore.parameters.map(\.name) == names && names.count > 5)
    #expect(ownStore.weights.all.elements == store.weights.all.elements)
    #expect(ownStore.statisticValues.all.elements == store.statisticValues.all.elements)
  }
}
