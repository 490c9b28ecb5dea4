import Distributed
import Support
import Tensors

/// What measurements were made on, for their records.
struct BenchmarkMachine: Encodable {
  let processor: String
  let cores: Int
  let ranks: Int
  let threads: Int
  let oneDNN: String
  let spikeKernels: String

  init(threads: Int, _ communicator: any Communicator) {
    let cpu = CPUDescription.current
    processor = cpu.model
    cores = cpu.cores
    ranks = communicator.size
    self.threads = threads
    oneDNN = "\(MathLibraries.oneDNNVersion), \(MathLibraries.oneDNNInstructionSet)"
    spikeKernels = MathLibraries.kernelInstructionSet
  }

  /// For people.
  var text: String {
    "\(processor), \(Format.counted(cores, "core")); \(Format.counted(ranks, "rank")) x"
      + " \(Format.counted(threads, "thread")); oneDNN \(oneDNN); spike kernels \(spikeKernels)"
  }
}
