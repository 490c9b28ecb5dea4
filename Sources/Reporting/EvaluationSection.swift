import Support
import Training

/// What the best checkpoints do on the validation split.
struct EvaluationSection {
  private let entries: [(name: String, findings: Findings)]
  /// Why runs are not among these.
  private let problems: [String]
  /// A confusion matrix of more classes has cells too small to point at.
  private static let mostMapped = 60
  /// Classes of each end where there are too many for a table.
  private static let fewClasses = 12
  private static let fewPairs = 10

  init(_ entries: [RunsReport.Entry]) {
    self.entries = entries.compactMap { entry in entry.findings.map { (entry.name, $0) } }
    problems = entries.compactMap { entry in
      guard case .impossible(let error) = entry.validation else { return nil }
      return "\(entry.name) could not be validated: \(error)"
    }
  }

  var html: String {
    let title = "Validation of the best checkpoint"
    let notes = problems.map(HTML.note).joined(separator: "\n")
    guard !entries.isEmpty else {
      return HTML.section(title, problems.isEmpty ? HTML.note("It was left out.") : notes)
    }
    return HTML.section(
      title,
      HTML.table([Self.columns] + entries.map(row)) + notes
        + HTML.legend(entries.enumerated().map { ($1.name, $0, false) })
        + HTML.cards((hasTimesteps ? [accuracyByTimestep.svg] : []) + [calibration.svg])
        + entries.map(details).joined())
  }

  private static let columns = [
    "run", "samples", "accuracy", "top-5", "loss", "calibration error", "firing rate",
  ]

  private func row(_ name: String, _ findings: Findings) -> [String] {
    let found = findings.evaluation
    return [
      name, "\(Format.count(found.samples)) of \(found.data)",
      Format.percent(found.accuracy, digits: 2), Format.percent(found.top5, digits: 2),
      found.loss.map { Format.fixed($0, 4) } ?? "not finite",
      Format.percent(found.calibrationError, digits: 2), Format.percent(found.firingRate),
    ]
  }

  private var hasTimesteps: Bool {
    entries.contains { $0.findings.evaluation.accuracyByTimestep.count > 1 }
  }

  private var accuracyByTimestep: LinePlot {
    LinePlot(
      title: "Accuracy after each time step", xLabel: "time steps", yLabel: "accuracy (%)",
      countsX: true,
      series: entries.enumerated().map { index, entry in
        LinePlot.Series(
          entry.name,
          entry.findings.evaluation.accuracyByTimestep.enumerated().map {
            .init(Double($0 + 1), 100 * $1)
          }, .line, color: index)
      }, layout: .page)
  }

  /// A network that is as sure as it is right lies on the diagonal.
  private var calibration: LinePlot {
    let ideal = LinePlot.Series("ideal", [.init(0, 0), .init(100, 100)], .dashes, color: 6)
    return LinePlot(
      title: "Calibration", xLabel: "confidence (%)", yLabel: "accuracy (%)",
      series: entries.enumerated().map { index, entry in
        LinePlot.Series(
          entry.name,
          entry.findings.evaluation.calibration.filter { $0.samples > 0 }.map {
            .init(100 * $0.confidence, 100 * $0.accuracy)
          }, .line, color: index)
      } + [ideal], layout: .page)
  }

  private func details(_ name: String, _ findings: Findings) -> String {
    let found = findings.evaluation
    let title = entries.count > 1 ? name + ": " : ""
    var cards = [HTML.heading("\(title)classes") + classes(found)]
    if found.classes.count <= Self.mostMapped {
      cards.append(HTML.heading("\(title)confusion") + confusion(found))
    }
    cards.append(HTML.heading("\(title)most confused") + mostConfused(found))
    var html = "<div style=\"height: 0.8rem\"></div>" + HTML.cards(cards)
    if !findings.worst.isEmpty {
      html +=
        "<h3 style=\"margin-top: 1rem\">\(Markup.escaped(title))worst first</h3>"
        + HTML.note(Self.worstNote(areRecordings: findings.worst[0].picture.isOfEvents))
        + "<div class=\"images\">"
        + findings.worst.map { figure($0, found) }.joined() + "</div>"
    }
    return html
  }

  private static func worstNote(areRecordings: Bool) -> String {
    let events =
      " A picture sums up all events of a recording: red where it gets brighter, blue where it gets"
      + " darker, purple where both, the lighter the more of them."
    return "The samples to whose class the network gives the least probability: that class, what it"
      + " takes them for, and the probability of that." + (areRecordings ? events : "")
  }

  private func figure(_ sample: WorstSamples.Sample, _ found: EvaluationRecord) -> String {
    let (name, prediction) = (found.outputs[sample.label], found.outputs[sample.prediction])
    let content =
      sample.picture.isOfEvents ? "the events of a recording of class" : "an image of class"
    let isRight = sample.label == sample.prediction
    return """
      <figure><img alt="\(Markup.escaped("\(content) \(name)"))" \
      src="data:image/png;base64,\(sample.picture.png.base64EncodedString())"/>\
      \(Markup.escaped(name)) \
      <span class="\(isRight ? "right" : "wrong")">→ \(Markup.escaped(prediction))</span> \
      \(Format.percent(sample.confidence))</figure>

      """
  }

  private func classes(_ found: EvaluationRecord) -> String {
    let sorted = found.classes.sorted { ($0.accuracy ?? 2) < ($1.accuracy ?? 2) }
    let isLong = sorted.count > 2 * Self.fewClasses
    let shown = isLong ? Array(sorted.prefix(Self.fewClasses)) : sorted
    func share(_ value: Double?) -> String { value.map { Format.percent($0) } ?? "–" }
    let rows = shown.map { one in
      [
        Markup.escaped(one.name), share(one.accuracy), HTML.bar(one.accuracy ?? 0),
        share(one.precision), Format.count(one.samples),
      ]
    }
    return HTML.table(html: [["class", "accuracy", "", "precision", "samples"]] + rows)
      + (isLong
        ? HTML.note("The lowest of \(Format.counted(found.classes.count, "class")).") : "")
  }

  /// Shares of each class's samples.
  private func confusion(_ found: EvaluationRecord) -> String {
    let values = found.classes.enumerated().map { label, one in
      found.confusion.row(label).map { one.samples > 0 ? Double($0) / Double(one.samples) : nil }
    }
    return HeatMap(
      rows: found.classes.map(\.name), columns: found.outputs, values: values, most: 1,
      hasSquareCells: true,
      format: { Format.percent($0) }
    ).svg + HTML.note("Rows: class; columns: prediction. Shares of each class's samples.")
  }

  private func mostConfused(_ found: EvaluationRecord) -> String {
    let pairs = found.confusion.pairs.filter { $0.label != $0.predicted }
      .sorted { ($1.count, $0.label, $0.predicted) < ($0.count, $1.label, $1.predicted) }
      .prefix(Self.fewPairs)
    guard !pairs.isEmpty else { return HTML.note("No sample is taken for another class.") }
    return HTML.table(
      [["class", "taken for", "samples"]]
        + pairs.map { pair in
          [
            found.classes[pair.label].name, found.outputs[pair.predicted], Format.count(pair.count),
          ]
        })
  }
}
