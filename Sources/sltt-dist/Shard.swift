import ArgumentParser
import Datasets
import Distributed
import Foundation
import Support
import Training

struct Shard: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Pack a data set into shards: tar archives that are fast to read and to copy.",
    discussion: """
      Reads an image folder, a tar archive of one, or the binary files of CIFAR, and writes \
      train-000000.tar, … and val-000000.tar, … in the layout of WebDataset, and index.json, all \
      determined by the data and the seed. A call that was broken off goes on where it was, and one \
      whose shards are all there does nothing.

      With --index, it writes the index of shards that another program made in that layout, and leaves \
      them as they are: KEY.jpg (or jpeg, png) with KEY.cls, or KEY.json with a label, in tars whose \
      names say train, val or test. The directory may have the class names in classes.txt, a line \
      each; without it, classes are the numbers among the labels, in their order.

      Images that cannot be decoded are left out; they are listed at the end, and in index.json. \
      Without --resize the others are copied byte for byte (raw pixels become PNGs).

      Exit status: 0 if the shards are complete, whether or not images were left out, or intact with \
      --verify; 1 otherwise; 64 for wrong options.
      """)

  @Option(name: .long, help: "Directory or archive of the data set.", transform: path)
  var source: String?

  @Option(name: .long, help: "Directory for the shards.", transform: path)
  var output: String?

  @Option(name: .long, help: "Training split of the source; by default train or training.")
  var train: String?

  @Option(
    name: .long,
    help:
      "Validation split of the source; by default val, valid, validation, test or testing."
  )
  var validation: String?

  @Option(
    name: .long, parsing: .unconditional,
    help:
      "Share of the training images that becomes the validation split; by default 0.1 where there is none; 0 for none."
  )
  var holdOut: Double?

  @Option(
    name: .long, parsing: .unconditional, help: "Number of shards of the training split.")
  var shards: Int?

  @Option(
    name: .long,
    help: "About the bytes of a shard, such as 64M; left out: 256M, or less to have 64 shards.",
    transform: Self.byteCount)
  var shardSize: Int?

  @Option(
    name: .long, parsing: .unconditional,
    help: "Shrink images to this length of the shorter side, in pixels, as JPEGs of quality 95.")
  var resize: Int?

  @Option(name: .long, help: "Determines which sample goes where.")
  var seed: UInt64 = 2022

  @Option(name: .long, parsing: .unconditional, help: "Threads; by default the cores at hand.")
  var workers: Int?

  @Option(name: .long, help: "Check the shards of this directory instead.", transform: path)
  var verify: String?

  @Option(
    name: .long, help: "Write the index of the shards in this directory instead.", transform: path)
  var index: String?

  func validate() throws {
    guard verify == nil || index == nil else {
      throw ValidationError("--verify and --index exclude each other")
    }
    if verify != nil || index != nil {
      guard source == nil, output == nil else {
        let name = verify == nil ? "--index" : "--verify"
        throw ValidationError("\(name) takes no --source and no --output")
      }
      return
    }
    guard let source, let output else {
      throw ValidationError("--source and --output are needed, or --verify, or --index")
    }
    // Shards beside the images that they are of would be taken for the data set from then on.
    guard resolved(source) != resolved(output) else {
      throw ValidationError(
        "--output \(output) is the source: give another directory for the shards")
    }
    guard shards == nil || shardSize == nil else {
      throw ValidationError("--shards and --shard-size exclude each other")
    }
    guard validation == nil || holdOut == nil else {
      throw ValidationError("--validation and --hold-out exclude each other")
    }
    try require("--hold-out", holdOut, in: 0...0.999)
    try require("--shards", shards, in: 1...1_000_000)
    try require("--resize", resize, in: 1...16_384)
    try require("--workers", workers, in: OptionLimit.threads)
  }

  func run() {
    onOneRank("shard") { communicator in
      if let verify {
        try check(verify)
      } else if let index {
        try makeIndex(of: index)
      } else {
        try write(from: source!, to: output!, communicator)
      }
    }
  }

  private func write(
    from source: String, to output: String, _ communicator: any Communicator
  ) throws {
    let line = ProgressLine()
    let writer = try ShardWriter(
      source: source, train: train, validation: validation, heldOutShare: holdOut, output: output,
      division: shards.map { .count($0) } ?? shardSize.map { .bytes($0) } ?? .automatic,
      resize: resize,
      seed: seed, workers: try workers ?? ProcessorBudget.threads(communicator),
      listing: FolderListing.Method(
        isRoot: true, broadcast: { $0 }, report: { line.show($0) }))
    var last = ShardingProgress()
    let index = try writer.run { progress in
      last = progress
      line.show(text(progress))
    }
    line.end()
    for note in writer.notes { print("\(note.title) \(note.text)") }
    printSplits(of: index)
    if last.allShards == 0 { print("the shards were complete before") }
    let skipped = index.splits.sorted { $0.key < $1.key }
      .flatMap { $0.value.shards.flatMap(\.skipped) }
    if !skipped.isEmpty {
      print("left out \(Format.counted(skipped.count, "image")) that cannot be decoded:")
    }
    for image in skipped { print("  \(image.sample): \(image.reason)") }
    print("\(output) is complete, \(Format.counted(index.classes.count, "class"))")
  }

  private func makeIndex(of directory: String) throws {
    let line = ProgressLine()
    let report = try ShardIndexer(directory: directory).run { shards, all in
      line.show("read \(shards) of \(Format.counted(all, "shard"))")
    }
    line.end()
    printSplits(of: report.index)
    if report.passedOver.count > 0 {
      let files = Format.counted(report.passedOver.count, "file")
      print("passed over \(files) in the shards: \(report.passedOver)")
    }
    let names = report.classFile ?? "their numbers"
    print(
      "\(directory) has an index, \(Format.counted(report.index.classes.count, "class")), named"
        + " by \(names)")
  }

  private func printSplits(of index: ShardIndex) {
    for (name, split) in index.splits.sorted(by: { $0.key < $1.key }) {
      print(
        "\(name): \(Format.counted(split.samples, "sample")) in "
          + "\(Format.counted(split.shards.count, "shard")), \(Format.bytes(split.bytes))")
    }
  }

  private func text(_ progress: ShardingProgress) -> String {
    let rate = Double(progress.samples) / max(progress.seconds, 1e-9)
    let left = Double(progress.allSamples - progress.samples) / rate
    return "\(Format.count(progress.samples)) of \(Format.counted(progress.allSamples, "image")), "
      + "\(progress.shards) of \(Format.counted(progress.allShards, "shard")), \(Format.rate(rate)) images/s, "
      + "\(Format.bytes(Int(Double(progress.bytes) / max(progress.seconds, 1e-9))))/s"
      + (progress.samples < progress.allSamples ? ", \(Format.duration(left)) left" : "")
      + (progress.skipped.isEmpty ? "" : ", \(progress.skipped.count) left out")
  }

  private func check(_ directory: String) throws {
    let index = try ShardIndex(directory: directory)
    let line = ProgressLine()
    let problems = index.verify(directory: directory) { shards, all, bytes in
      line.show("checked \(shards) of \(Format.counted(all, "shard")), \(Format.bytes(bytes))")
    }
    line.end()
    guard problems.isEmpty else {
      throw ValidationError(
        (problems + [
          "\(directory) has \(Format.counted(problems.count, "damaged or missing shard")). "
            + (index.plan == nil
              ? "Fetch what is named above again."
              : "Remove what is named above and call sltt-dist shard again as before, which makes it"
                + " anew.")
        ]).joined(separator: "\n"))
    }
    print("\(directory) is intact")
  }

  /// `1000`, `64K`, `64M` or `2G`.
  private static func byteCount(_ text: String) throws -> Int {
    let shifts: [Character: Int] = ["K": 10, "M": 20, "G": 30]
    let shift = text.last.flatMap { shifts[$0] }
    let digits = shift == nil ? text[...] : text.dropLast()
    guard let count = Int(digits), count > 0, count < 1 << 32 || shift == nil else {
      throw ValidationError("'\(text)' is not a number of bytes such as 64M")
    }
    return count << (shift ?? 0)
  }
}
