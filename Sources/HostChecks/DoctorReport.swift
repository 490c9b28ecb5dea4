import Support

/// What all ranks found, for people: each thing once, with the ranks that it is about.
struct DoctorReport {
  /// Ranks that are shown one by one; of more, each host has one line.
  static let rankLimit = 24

  let ranks: [RankExamination]
  /// A line for each topic: the worst that a rank found.
  let findings: [(finding: Finding, ranks: String?)]

  /// - Parameter shared: what rank 0 found about all ranks together.
  init(_ ranks: [RankExamination], shared: [Finding]) {
    self.ranks = ranks
    var topics: [String] = []
    var byTopic: [String: [(rank: RankExamination, finding: Finding)]] = [:]
    for rank in ranks {
      for finding in rank.findings {
        if byTopic[finding.topic] == nil { topics.append(finding.topic) }
        byTopic[finding.topic, default: []].append((rank, finding))
      }
    }
    findings = shared.map { ($0, nil) } + topics.map { Self.summary(byTopic[$0]!, of: ranks.count) }
  }

  /// What several ranks found about one topic, as one finding.
  private static func summary(
    _ found: [(rank: RankExamination, finding: Finding)], of rankCount: Int
  ) -> (Finding, String?) {
    let worst = found.map(\.finding.status).max()!
    let first = found.first { $0.finding.status == worst }!
    if worst == .ok {
      guard let advice = first.finding.adviceIfDiffering,
        let other = found.first(where: { $0.finding.text != first.finding.text })
      else { return (first.finding, nil) }
      let text =
        "\(first.finding.text) on rank \(first.rank.rank) (\(first.rank.hostName)), but"
        + " \(other.finding.text) on rank \(other.rank.rank) (\(other.rank.hostName))"
      return (
        Finding(section: first.finding.section, topic: first.finding.topic, text: text)
          .warning(advice), nil
      )
    }
    let ranks = found.filter { $0.finding.status == worst }.map(\.rank)
    return (first.finding, ranks.count == rankCount ? nil : names(ranks))
  }

  /// `rank 3 on a`, `ranks 3, 5-7 on a, b and 2 more hosts`
  private static func names(_ ranks: [RankExamination]) -> String {
    var hosts: [String] = []
    for rank in ranks where !hosts.contains(rank.hostName) { hosts.append(rank.hostName) }
    let more = hosts.count > 3 ? " and \(hosts.count - 3) more hosts" : ""
    return "rank\(ranks.count == 1 ? "" : "s") \(Format.ranges(ranks.map(\.rank))) on"
      + " \(hosts.prefix(3).joined(separator: ", "))\(more)"
  }

  func count(_ status: Finding.Status) -> Int { findings.count { $0.finding.status == status } }

  var hasFailed: Bool { count(.failed) > 0 }

  /// Everything but the verdict.
  var text: String {
    Finding.Section.allCases.compactMap { section in
      let lines = findings.filter { $0.finding.section == section }
        .map { "  " + $0.finding.line(ranks: $0.ranks) }
      let table = section == .cpu && ranks.count > 1 ? [rankTable] : []
      return lines.isEmpty ? nil : ([section.rawValue] + lines + table).joined(separator: "\n")
    }.joined(separator: "\n")
  }

  /// The last line.
  var verdict: String {
    let warnings = Format.counted(count(.warning), "warning")
    if hasFailed {
      return "verdict: do not train here yet: \(Format.counted(count(.failed), "check")) FAILED,"
        + " \(warnings)"
    }
    return count(.warning) > 0
      ? "verdict: everything that training needs works, with \(warnings)"
      : "verdict: everything that training needs works"
  }

  private var rankTable: String {
    var rows = [["  ranks", "host", "cores", "threads", "memory available"]]
    if ranks.count <= Self.rankLimit {
      rows += ranks.map { Self.row([$0]) }
    } else {
      var byNode: [Int: [RankExamination]] = [:]
      for rank in ranks { byNode[rank.node, default: []].append(rank) }
      rows += byNode.keys.sorted().map { Self.row(byNode[$0]!) }
    }
    return table(rows, leftAligned: 3)
  }

  /// A line about ranks of one host.
  private static func row(_ ranks: [RankExamination]) -> [String] {
    let threads = Set(ranks.map(\.threads))
    return [
      "  " + Format.ranges(ranks.map(\.rank)), ranks[0].hostName,
      Format.ranges(Set(ranks.flatMap(\.cores)).sorted()),
      threads.count == 1
        ? (ranks.count == 1 ? "" : "\(ranks.count) x ") + "\(ranks[0].threads)"
        : "\(ranks.reduce(0) { $0 + $1.threads }) in all",
      Format.bytes(ranks[0].availableMemory),
    ]
  }
}
