import ArgumentParser
import Distributed
import HostChecks
@preconcurrency import Glibc

@main
struct SLTTDist: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sltt-dist",
    abstract: "Trains deep spiking neural networks with spatial learning through time, on CPUs.",
    discussion: """
      Without arguments, `sltt-dist train` learns the MNIST images that it carries, with --data DIR your \
      own data. Start it through mpirun to train on several ranks: mpirun -n 8 sltt-dist train.
      """,
    version: "0.1.0",
    subcommands: [
      Train.self, Recipes.self, Compare.self, Evaluate.self, Predict.self, Report.self,
      Inspect.self, Gradients.self, Import.self, Export.self, Shard.self, Stage.self, Bench.self,
      Doctor.self,
    ])

  static func main() {
    // Until the subcommand knows what they mean.
    StopSignal.hold()
    limitSpinning()
    restoreName()
    // In files and pipes too, lines appear when they are printed, in the order of printing.
    setvbuf(stdout, nil, _IOLBF, 0)
    main(nil)
  }
}

/// After the second start the process would be called exe, where people look for it with pkill or top.
private func restoreName() {
  let file = open("/proc/self/comm", O_WRONLY)
  guard file >= 0 else { return }
  write(file, "sltt-dist", 9)
  close(file)
}
