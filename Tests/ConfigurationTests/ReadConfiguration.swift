@testable import Configuration

/// The configuration that the text of a file `run.yaml` and overrides give.
func read(_ yaml: String, overrides: [String] = []) throws -> Configuration {
  var configuration = Configuration()
  try configuration.apply(yaml: yaml, from: "run.yaml")
  try configuration.apply(overrides: overrides)
  try configuration.validate()
  return configuration
}
