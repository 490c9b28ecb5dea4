import Support

/// Whether the ranks of each node use its cores once, and all of them.
enum PlacementCheck {
  static let topic = "placement of ranks"

  /// Of several nodes in trouble, the first is described.
  static func finding(_ ranks: [RankExamination]) -> Finding {
    let nodes = Dictionary(grouping: ranks, by: \.node).sorted { $0.key < $1.key }.map(\.value)
    let placement = nodes.lazy.compactMap(warning).first
    let hosts = Format.counted(nodes.count, "host")
    return placement
      ?? finding("\(Format.counted(ranks.count, "rank")) on \(hosts), a core for every thread")
  }

  private static func warning(_ ranks: [RankExamination]) -> Finding? {
    let cores = Set(ranks.flatMap(\.cores))
    let threads = ranks.reduce(0) { $0 + $1.threads }
    let place = "on \(ranks[0].hostName)"
    let list = Format.ranges(cores.sorted())
    if threads > cores.count {
      return finding(
        "\(Format.counted(threads, "thread")) of \(Format.counted(ranks.count, "rank")) share"
          + " \(Format.counted(cores.count, "core")) (\(list)) \(place)"
      ).warning(
        "Give each rank cores of its own (mpirun --map-by slot:PE=THREADS --bind-to core; MPICH's"
          + " mpirun -bind-to core:THREADS), start fewer ranks on the host, or lower --threads")
    }
    if let (a, b) = overlapping(ranks) {
      return finding(
        "ranks \(a.rank) and \(b.rank) \(place) are bound to different cores that overlap:"
          + " \(Format.ranges(a.cores)) and \(Format.ranges(b.cores))"
      ).warning(
        "Let mpirun place them (--map-by slot:PE=THREADS --bind-to core; MPICH's -bind-to"
          + " core:THREADS), or bind none (--bind-to none)")
    }
    let idle = Set(ranks[0].launcherCores).subtracting(cores)
    if !idle.isEmpty {
      return finding(
        "\(Format.counted(ranks.count, "rank")) \(place) may use \(cores.count) of"
          + " \(cores.count + idle.count) cores (\(list))"
      ).warning(
        "Open MPI's mpirun binds a rank to one core unless told otherwise: use --map-by"
          + " slot:PE=THREADS, or --bind-to none")
    }
    return nil
  }

  private static func overlapping(_ ranks: [RankExamination]) -> (RankExamination, RankExamination)?
  {
    for (position, a) in ranks.enumerated() {
      let cores = Set(a.cores)
      for b in ranks[(position + 1)...] where a.cores != b.cores {
        if !cores.isDisjoint(with: b.cores) { return (a, b) }
      }
    }
    return nil
  }

  private static func finding(_ text: String) -> Finding {
    Finding(section: .cpu, topic: topic, text: text)
  }
}
