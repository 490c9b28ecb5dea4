import Support
import Training

/// What a sample would cost on neuromorphic hardware, at the firing rates of the validation, or of training
/// where there was none.
struct EnergySection {
  private let entries: [(name: String, operations: NetworkOperations, isValidated: Bool)]
  private let energy: OperationEnergy
  private let count = NetworkOperations.count

  init(_ entries: [RunsReport.Entry], _ energy: OperationEnergy) {
    self.energy = energy
    self.entries = entries.compactMap { entry in
      // What is not of this version has no energy, and all else of the page is shown.
      let operations =
        entry.findings?.evaluation.operations ?? (try? entry.history.operations())
      return operations.map { (entry.name, $0, entry.findings != nil) }
    }
  }

  /// No run has recorded the firing rates from which energy follows.
  var isEmpty: Bool { entries.isEmpty }

  var html: String {
    guard !isEmpty else { return "" }
    let header = ["run", "MACs", "ACs", "energy", "MACs as an ANN", "energy", "ANN : SNN"]
    let rows = entries.map { name, operations, _ in
      let own = energy.of(macs: operations.macs, acs: operations.acs)
      let ann = energy.of(macs: operations.annMACs)
      return [
        name, count(operations.macs), count(operations.acs), Format.energy(picojoules: own),
        count(operations.annMACs), Format.energy(picojoules: ann),
        own > 0 ? Format.fixed(ann / own, 1) : "–",
      ]
    }
    return HTML.section(
      "Operations and energy of a sample",
      HTML.table([header] + rows)
        + entries.map { details($0.name, $0.operations) }.joined(separator: "\n"),
      note:
        "At \(energy.mac) pJ a multiply-accumulate (MAC) and \(energy.ac) pJ an accumulate under a"
        + " spike (AC)\(Self.source(of: energy)): arithmetic alone, without memory and neurons. "
        + rates)
  }

  private var rates: String {
    let trained = entries.filter { !$0.isValidated }.map(\.name)
    if trained.count == entries.count {
      return "Spikes are counted in the latest epoch's training."
    }
    let others =
      trained.isEmpty
      ? "" : "; those of \(trained.joined(separator: ", ")) in the latest epoch's training"
    return "Spikes are counted in the validation\(others)."
  }

  /// Where the default numbers are from.
  private static func source(of energy: OperationEnergy) -> String {
    energy == OperationEnergy() ? ", as in 45 nm (Horowitz, ISSCC 2014)" : ""
  }

  private func details(_ name: String, _ operations: NetworkOperations) -> String {
    let most = operations.layers.map { $0.energy(energy) }.max() ?? 0
    let header = ["layer", "kind", "input rate", "MACs", "ACs", "energy", ""]
    let rows = operations.layers.map { layer in
      let own = layer.energy(energy)
      return [
        Markup.escaped(layer.name), Markup.escaped(layer.kind),
        layer.inputRate.map { Format.percent($0) } ?? "not spikes", count(layer.macs),
        count(layer.acs), Format.energy(picojoules: own), HTML.bar(most > 0 ? own / most : 0),
      ]
    }
    return "<details><summary>\(Markup.escaped(name)): layer by layer</summary>"
      + HTML.table(html: [header] + rows) + "</details>"
  }
}
