import Configuration
import Distributed
import SpikingNetworks
import Support
import Tensors

/// The trained network that another one is to learn from, of any architecture, neurons and time steps.
package struct TeacherCheckpoint {
  /// Of the model's file.
  let path: String
  let specification: NetworkSpecification
  let timesteps: Int
  /// On rank 0, which alone reads files.
  private let file: ModelFile?

  /// Finds the teacher that a configuration names, if it names one. A collective.
  ///
  /// - Parameters:
  ///   - student: the network that learns from it.
  ///   - classes: of the data; nil where no data are at hand.
  /// - Throws: `ConfigurationError` where there is no such teacher, or it sees or says another thing than
  ///   the student.
  init?(
    of configuration: Configuration, student: NetworkSpecification, classes: [String]?,
    _ communicator: any Communicator
  ) throws {
    guard let location = configuration.distill.checkpoint else { return nil }
    func error(_ problem: String) -> ConfigurationError {
      configuration.error("distill.checkpoint", problem)
    }
    communicator.activity.enter(.readingCheckpoint)
    var (file, yaml): (ModelFile?, String) = (nil, "")
    if communicator.isRoot {
      do {
        let found = try ModelFile(at: location, communicator)
        let trained = TrainedOn(found)
        if let classes { try trained.requireClasses(classes) }
        if let difference = try trained.inputDifferences(from: configuration).first {
          throw error(
            "= \(location) was trained with \(difference.key) \(difference.before), which is now"
              + " \(difference.now): it must see what the network sees, so make them equal")
        }
        yaml = try trained.configuration(onDataOf: configuration).yaml
        file = found
      } catch let problem where !(problem is ConfigurationError) {
        throw error("names no teacher for this network: \(problem)")
      }
    }
    self.file = file
    path = try communicator.broadcast(file?.path ?? "", root: 0)
    var own = Configuration()
    try own.apply(yaml: try communicator.broadcast(yaml, root: 0), from: path)
    specification = try own.networkSpecification(classes: nil)
    timesteps = own.method.timesteps
    guard
      configuration.framesOfASample == 1 || timesteps == configuration.method.timesteps
    else {
      throw error(
        "= \(location) was trained with method.timesteps \(timesteps), which is now"
          + " \(configuration.method.timesteps): of recordings it must see the frames that the network"
          + " sees, so make them equal")
    }
    guard specification.classes == student.classes else {
      throw error(
        "= \(location) has \(Format.counted(specification.classes, "output")), and this network"
          + " \(student.classes): make model.classes equal")
    }
  }

  /// Makes the network on all ranks. A collective.
  ///
  /// - Parameter arena: where its activations live, while no others do.
  /// - Throws: `CheckpointError`, `SafeTensorsError`, `NetworkError`.
  func load(
    _ backend: ConvolutionBackend, arena: Arena, _ communicator: any Communicator
  ) throws -> Teacher {
    let network = try SpikingNetwork(specification, backend: backend, seed: 0, arena: arena)
    try file?.restore(network)
    try communicator.broadcast(network.store.weights.all)
    try communicator.broadcast(network.store.statisticValues.all)
    network.weightsDidChange()
    return Teacher(network, timesteps: timesteps)
  }

  /// In a few words, for people.
  var summary: String { "\(path): \(specification.summary), T = \(timesteps)" }
}

extension Teacher {
  /// Stands for its weights and running statistics, in a checkpoint.
  var checksum: String {
    var hash = XXHash64()
    for values in [network.store.weights.all, network.store.statisticValues.all] {
      values.withUnsafeMutableBufferPointer { hash.update(UnsafeRawBufferPointer($0)) }
    }
    return Checksum.text(hash.value)
  }
}
