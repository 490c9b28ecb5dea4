import Distributed
import Support

/// Main memory, and the shared memory through which the ranks of a node talk.
enum MemoryCheck {
  /// ResNet-18 at full width with 32 small images takes less.
  private static let bytesPerRank = 512 << 20
  /// Open MPI takes about half of that for each rank.
  private static let sharedBytesPerRank = 8 << 20

  /// - Parameters:
  ///   - shared: of the file system `/dev/shm`.
  ///   - ranks: on this node.
  static func findings(_ memory: NodeMemory?, shared: FileSystem?, ranks: Int) -> [Finding] {
    [main(memory, ranks), sharedMemory(shared, ranks)]
  }

  private static func main(_ memory: NodeMemory?, _ ranks: Int) -> Finding {
    func finding(_ text: String) -> Finding {
      Finding(section: .memory, topic: "main memory", text: text)
    }
    guard let memory else {
      return finding("the kernel does not tell its size").warning("Mount /proc")
    }
    let limit = memory.limit.map { ", the control group's limit is \(Format.bytes($0))" } ?? ""
    let found = finding(
      "\(Format.bytes(memory.total)), \(Format.bytes(memory.available)) available\(limit)")
    guard min(memory.available, memory.limit ?? .max) / ranks < bytesPerRank else { return found }
    return found.warning(
      "That is less than \(Format.bytes(bytesPerRank)) for each of \(Format.counted(ranks, "rank"))"
        + " here: sltt-dist inspect tells what a network needs; start fewer ranks or end other"
        + " programs")
  }

  private static func sharedMemory(_ shared: FileSystem?, _ ranks: Int) -> Finding {
    func finding(_ text: String) -> Finding {
      Finding(section: .memory, topic: "/dev/shm", text: text)
    }
    let advice =
      "Enlarge it (docker run --shm-size=1g, mount -o remount,size=1g /dev/shm), delete what ended"
      + " jobs left there, or start mpirun with --mca btl ^vader"
    guard let shared else { return finding("there is none").warning(advice) }
    let found = finding(
      "\(Format.bytes(shared.total)), \(Format.bytes(shared.available)) free")
    return shared.available < sharedBytesPerRank * ranks
      ? found.warning("Too little for the \(Format.counted(ranks, "rank")) here. \(advice)") : found
  }
}
