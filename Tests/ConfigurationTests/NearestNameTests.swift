import Testing

@testable import Configuration

@Test func findsTheNearestName() {
  let names = ["model.width", "method.k", "optimizer.name", "optimizer.learning_rate"]
  #expect(nearestName(to: "model.widths", in: names) == "model.width")
  #expect(nearestName(to: "modelwidth", in: names) == "model.width")
  #expect(nearestName(to: "learning_rate", in: names) == "optimizer.learning_rate")
  #expect(nearestName(to: "model.learning_rate", in: names) == "optimizer.learning_rate")
  #expect(nearestName(to: "training.learning_rat", in: names) == "optimizer.learning_rate")
  #expect(nearestName(to: "method.k", in: names) == "method.k")
  #expect(nearestName(to: "meth", in: ["math", "method.k"]) == "math")
  #expect(nearestName(to: "Conv2d", in: ["neuron", "convolution"]) == "convolution")
  #expect(nearestName(to: "conv", in: ["neuron", "convolution"]) == "convolution")
  #expect(nearestName(to: "layers2", in: ["layer_norm", "layers"]) == "layers")
  let batches = ["data.path", "training.global_batch", "training.seed"]
  #expect(nearestName(to: "training.batch", in: batches) == "training.global_batch")
  #expect(nearestName(to: "", in: ["ab", "a"]) == "a")
  #expect(nearestName(to: "kitten", in: ["sitting", "mittens"]) == "mittens")
}
