import Configuration
import Distributed
import Foundation
import SpikingNetworks
import Support
import Tensors
import Training

/// The recipes that come with the program: what they need, cost on this machine, and reach.
public struct RecipeReport {
  /// For people.
  public let text: String

  /// Measures how fast this machine trains, for about a second, and describes the recipes.
  ///
  /// - Parameter threads: of the one rank that costs are for.
  public init(_ recipes: [Recipe], backend: ConvolutionBackend, threads: Int) throws {
    let before = residentBytes()
    let (speed, share) = try Self.measuredSpeed(backend, threads: threads)
    let entries = try recipes.map { recipe in
      try Self.entry(recipe, backend, speed: speed, residentBefore: before)
    }
    text =
      entries.joined(separator: "\n\n") + """


        sltt-dist train --config NAME --data DATA trains one of them.

        Costs are estimates for one rank with \(Format.counted(threads, "thread")) on this machine. Memory \
        follows from the
        network's shape; more ranks divide it, and training.micro_batch lowers it. Time is that of all
        epochs without validation, if they go as fast as a ResNet-18 that has just trained on noise here
        for a second: \(Format.rate(speed / 1e9)) billion dense multiply-accumulates a second.
        """
      + (share < 0.8
        ? "\nOther work had a part of the processor meanwhile: without it, times are shorter.\n"
        : "")
  }

  private static func entry(
    _ recipe: Recipe, _ backend: ConvolutionBackend, speed: Double, residentBefore: Int
  ) throws -> String {
    let configuration = try Configuration(file: recipe.path)
    let network = try NetworkPlan(
      configuration.networkSpecification(classes: recipe.classes ?? 10), backend: backend)
    let memory = MemoryEstimate(
      network, configuration, ranks: 1, batch: configuration.training.globalBatch,
      optimizerBuffers: configuration.optimizerBuffers, before: residentBefore)
    var lines = [("data", recipe.data ?? "any")]
    lines.append(("memory", "about \(Format.bytes(memory.totalBytes))"))
    if let samples = recipe.samples {
      let epochs = configuration.training.epochs
      let work =
        network.trainingMACs(configuration.method.rule) * Double(samples) * Double(epochs)
      lines.append(
        (
          "time",
          "about \(Format.duration(work / speed)), \(Format.counted(epochs, "epoch")) of"
            + " \(Format.counted(samples, "sample"))"
        ))
    }
    if let accuracy = recipe.accuracy { lines.append(("accuracy", accuracy)) }
    return ([recipe.name, "  " + recipe.title] + lines.map { "  " + $0.padded(to: 10) + $1 })
      .joined(separator: "\n")
  }

  /// Dense multiply-accumulates a second of training, and the share of the threads' time that they had a
  /// processor for.
  private static func measuredSpeed(
    _ backend: ConvolutionBackend, threads: Int
  ) throws -> (Double, share: Double) {
    let configuration = try Configuration(
      file: nil,
      overrides: [
        "model.architecture=resnet18", "model.width=64", "model.input_channels=3",
        "method.timesteps=1", "training.global_batch=4", "data.image_size=32",
        "data.normalization=unit",
      ])
    let job = try BenchmarkJob(
      configuration, .synthetic(firingRate: 0.15), backend: backend, threads: threads,
      SingleProcess())
    // The first ones pack weights and plan memory.
    for _ in 0..<2 { _ = try job.iterate() }
    var samples = 0
    let before = clock()
    let start = ContinuousClock.now
    repeat {
      _ = try job.iterate()
      samples += job.localBatch
    } while ContinuousClock.now - start < .seconds(1)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    let work = job.trainer.network.plan.trainingMACs(configuration.method.rule)
    let used = Double(clock() - before) / Double(CLOCKS_PER_SEC)
    return (work * Double(samples) / seconds, used / (seconds * Double(threads)))
  }
}
