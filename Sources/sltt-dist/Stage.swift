import ArgumentParser
import Datasets
import Distributed
import Support
import Training

struct Stage: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Copy each node's shards to its local disk, as launch/sltt-launch does.",
    discussion: """
      Start it through mpirun, on the same nodes and with the same placement of ranks as the training \
      that is to follow with data.path=OUTPUT and data.sharding=node-local. The first rank of each node \
      copies the shards that the node's ranks will read, those that are not there yet with the right \
      checksum. Several jobs may stage to one directory at a time.
      """)

  @Option(name: .long, help: "Directory of the shards, which every node sees.", transform: path)
  var shards: String

  @Option(name: .long, help: "Directory on each node's local disk.", transform: path)
  var output: String

  func run() {
    onEveryRank { communicator in
      let nodes = try communicator.nodes()
      var report = ShardStage.Report()
      if communicator.localRank == 0 {
        let stage = try ShardStage(from: shards, to: output)
        let line = communicator.isRoot ? ProgressLine() : nil
        report = try stage.run(stage.shards(onNode: communicator.rank, of: nodes)) { done, all in
          line?.show("copied \(done) of \(Format.counted(all, "shard")) of the first node")
        }
        line?.end()
      }
      let total = try [report.kept, report.copied, report.copiedBytes].map { count in
        try communicator.allGather(UInt64(count)).reduce(0, +)
      }
      if communicator.isRoot {
        print(
          "\(output) is complete on \(Format.counted(Set(nodes).count, "node")): "
            + "\(Format.counted(Int(total[1]), "shard")) copied (\(Format.bytes(Int(total[2])))),"
            + " \(Format.count(Int(total[0]))) there before")
      }
    }
  }
}
