import Support
import Training

/// What a sample would cost on neuromorphic hardware, at the firing rates of the validation, or of training
/// where there was none.
struct EnergySection {
  private let entries: [(name: String, operations: NetworkOperations)]
  /// Those that were not validated.
  private let trained: [String]
  private let energy: OperationEnergy
  private let count = NetworkOperations.count

  init(_ entries: [RunsReport.Entry], _ energy: OperationEnergy) {
    self.energy = energy
    self.entries = entries.compactMap { entry in
      // What is not of this version has no energy, and all else of the page is shown.
      let operations =
        entry.findings?.evaluation.operations ?? (try? entry.history.operations())
      return operations.map { (entry.name, $0) }
    }
    trained = entries.filter { $0.findings == nil }.map(\.name)
  }

  var html: String {
    guard !entries.isEmpty else { return "" }
    let header = ["run", "MACs", "ACs", "energy", "MACs as an ANN", "energy", "ANN : SNN"]
    let rows = entries.map { name, operations in
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
      HTML.table([header] + rows) + entries.map(details).joined(separator: "\n"),
      note:
        "At \(energy.mac) pJ a multiply-accumulate (MAC) and \(energy.ac) pJ an accumulate under a"
        + " spike (AC)\(Self.source(of: energy)): arithmetic alone, without memory and neurons. "
        + rates)
  }

  private var rates: String {
    let shown = trained.filter { name in entries.contains { $0.name == name } }
    return shown.isEmpty
      ? "Spikes are counted in the validation."
      : "Spikes are counted in the validation, of \(shown.joined(separator: ", ")) in the training of"
        + " the latest epoch."
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
