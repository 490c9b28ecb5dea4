import SpikingNetworks
import Support
import Training

/// What the runs took, and where it went.
struct CostSection {
  private let entries: [RunsReport.Entry]

  init(_ entries: [RunsReport.Entry]) { self.entries = entries }

  var html: String {
    let measured = entries.filter { !$0.history.epochs.isEmpty }
    guard !measured.isEmpty else { return "" }
    return HTML.section("Time and memory", HTML.cards(measured.map(card)))
  }

  private func card(_ entry: RunsReport.Entry) -> String {
    let epochs = entry.history.epochs
    let times = RunTimes(epochs)
    func row(_ name: String, _ seconds: Double) -> [String] {
      let share = times.total > 0 ? seconds / times.total : 0
      return [
        Markup.escaped(name), Format.duration(seconds), Format.percent(share), HTML.bar(share),
      ]
    }
    var rows = [["", "time", "share", ""]]
    rows += times.parts.map { row($0.name, $0.seconds) }
    return HTML.heading(entry.name) + HTML.table(html: rows)
      + HTML.note("\(Format.duration(times.total)) in all") + memory(epochs)
  }

  /// What rank 0 was expected to need, and what it came to.
  private func memory(_ epochs: [RunHistory.Record]) -> String {
    let peak = epochs.compactMap(\.peakBytes).max().map {
      HTML.note("peak memory of rank 0: \(Format.bytes($0))")
    }
    guard let expected = epochs.last?.expectedBytes else { return peak ?? "" }
    let parts = MemoryEstimate.Part.allCases.compactMap { part in
      expected[part.rawValue].map { (name: part.title, bytes: $0) }
    }
    let all = parts.reduce(0) { $0 + $1.bytes }
    let rows = parts.map { part in
      let share = all > 0 ? Double(part.bytes) / Double(all) : 0
      return [part.name, Format.bytes(part.bytes), Format.percent(share), HTML.bar(share)]
    }
    return HTML.table(html: [["memory of rank 0", "expected", "share", ""]] + rows)
      + HTML.note("\(Format.bytes(all)) expected in all") + (peak ?? "")
  }
}

extension MemoryEstimate.Part {
  /// For people.
  fileprivate var title: String {
    switch self {
    case .weights: "weights"
    case .gradients: "gradients"
    case .optimizer: "optimizer"
    case .packedWeights: "weights packed for kernels"
    case .tape: "tape, for the backward pass"
    case .state: "state between time steps"
    case .temporary: "temporary tensors"
    case .teacher: "teacher"
    case .loader: "batches loaded ahead"
    case .program: "program and libraries"
    case .checkpoint: "checkpoints, while written"
    }
  }
}

/// Where the time of a run went, in seconds.
struct RunTimes {
  let total: Double
  let parts: [(name: String, seconds: Double)]

  /// - Parameter epochs: all of a run, as far as it is.
  init(_ epochs: [RunHistory.Record]) {
    total = epochs.compactMap(\.seconds).last ?? 0
    var (training, wait, samples) = (0.0, 0.0, 0)
    var phases: [String: Double] = [:]
    for epoch in epochs {
      defer { samples = epoch.samples }
      guard let speed = epoch.imagesPerSecond, speed > 0 else { continue }
      let seconds = Double(epoch.samples - samples) / speed
      training += seconds
      wait += seconds * (epoch.dataWait ?? 0)
      phases.merge(epoch.phaseSeconds ?? [:], uniquingKeysWith: +)
    }
    training = min(training, total)
    // Rank 0's own wait is in the mean over the ranks.
    phases[StepProfile.Phase.dataWait.rawValue] = nil
    let measured = phases.sorted { $0.value > $1.value }.map { (name: $0.key, seconds: $0.value) }
    let others = training - wait - measured.reduce(0) { $0 + $1.seconds }
    parts =
      measured
      + [
        (measured.isEmpty ? "training" : "training, other", max(0, others)),
        ("waiting for data", wait), ("validation, checkpoints, start", total - training),
      ]
  }
}
