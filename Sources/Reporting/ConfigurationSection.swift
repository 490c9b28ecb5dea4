import Configuration
import Support
import Training

/// With what the runs were trained, and in what they differ.
struct ConfigurationSection {
  private let entries: [RunsReport.Entry]

  init(_ entries: [RunsReport.Entry]) { self.entries = entries }

  var html: String {
    let differences = entries.count > 1 ? differences : ""
    let whole = entries.map { entry in
      "<details><summary>\(Markup.escaped(entry.name)): the whole configuration</summary><pre>"
        + Markup.escaped(entry.history.configuration.yaml) + "</pre></details>"
    }
    return HTML.section("Configuration", differences + whole.joined(separator: "\n"))
  }

  /// The keys whose values are not the same in all runs.
  private var differences: String {
    let configurations = entries.map(\.history.configuration)
    let rows = Configuration.keys.compactMap { key -> [String]? in
      let values = configurations.map { key.yaml($0) ?? "not set" }
      return Set(values).count > 1 ? [key.name] + values : nil
    }
    return rows.isEmpty
      ? HTML.note("The configurations are the same.")
      : HTML.table([["key"] + entries.map(\.name)] + rows)
  }
}
