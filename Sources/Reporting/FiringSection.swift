import Support
import Training

/// Which layers fire, and when: the first thing to look at where a spiking network does not learn.
struct FiringSection {
  private let entries: [RunsReport.Entry]
  private static let mostEpochs = 40

  init(_ entries: [RunsReport.Entry]) { self.entries = entries }

  var html: String {
    let cards = entries.flatMap { entry -> [String] in
      let epochs = entry.history.epochs
      // Which neurons are silent is seen in validation, which not every epoch has.
      guard let shown = epochs.last(where: { $0.validationFiringRates != nil }) ?? epochs.last,
        let layers = shown.validationFiringRates ?? shown.firingRates, !layers.isEmpty
      else { return [] }
      let prefix = entries.count > 1 ? entry.name + ": " : ""
      let kind = shown.validationFiringRates == nil ? "training" : "validation"
      return [
        HTML.heading("\(prefix)by time step, \(kind) of epoch \(shown.epoch)")
          + byTimestep(layers),
        byEpoch(entry.history.latestOfEachEpoch).map { HTML.heading("\(prefix)by epoch") + $0 },
      ].compactMap { $0 }
    }
    guard !cards.isEmpty else { return "" }
    return HTML.section(
      "Firing rates", HTML.cards(cards),
      note: "Spikes for each neuron and time step; by epoch, those of training. Silent is the share"
        + " of neurons that no sample of the validation made fire. Point at a cell for its figure.")
  }

  private func byTimestep(_ layers: [RunHistory.Record.LayerFiring]) -> String {
    let steps = layers.map(\.rates.count).max()!
    let hasSilent = layers.contains { $0.silent != nil }
    let rates = layers.map { layer -> [Double?] in
      (0..<steps).map { $0 < layer.rates.count ? layer.rates[$0] : nil }
    }
    let map = HeatMap(
      rows: layers.map(\.layer), columns: (1...max(1, steps)).map(String.init), values: rates,
      most: most(rates)
    ) { Format.percent($0) }
    guard hasSilent else { return map.svg }
    let silent = layers.filter { ($0.silent ?? 0) > 0 }
    let rows =
      [["layer", "mean rate", "silent"]]
      + silent.sorted { $0.silent! > $1.silent! }.prefix(10).map {
        [$0.layer, Format.percent($0.mean), Format.percent($0.silent!)]
      }
    return map.svg
      + (silent.isEmpty
        ? HTML.note("Every neuron fired.")
        : HTML.note("Layers with most silent neurons:") + HTML.table(rows))
  }

  /// The layers' mean rates; nil where none were measured.
  private func byEpoch(_ epochs: [RunHistory.Record]) -> String? {
    let measured = epochs.filter { $0.firingRates != nil }
    guard let latest = measured.last?.firingRates else { return nil }
    let every = (measured.count + Self.mostEpochs - 1) / Self.mostEpochs
    // The last is always there.
    let shown = measured.enumerated()
      .filter { (measured.count - 1 - $0.offset) % max(1, every) == 0 }.map(\.element)
    let layers = latest.map(\.layer)
    let rates = layers.map { layer in
      shown.map { epoch in epoch.firingRates!.first { $0.layer == layer }?.mean }
    }
    return HeatMap(
      rows: layers, columns: shown.map { "\($0.epoch)" }, values: rates, most: most(rates)
    ) { Format.percent($0) }.svg
  }

  private func most(_ rates: [[Double?]]) -> Double {
    rates.flatMap { $0 }.compactMap { $0 }.max() ?? 0
  }
}

extension RunHistory.Record.LayerFiring {
  /// Over the time steps.
  var mean: Double { rates.isEmpty ? 0 : rates.reduce(0, +) / Double(rates.count) }
}
