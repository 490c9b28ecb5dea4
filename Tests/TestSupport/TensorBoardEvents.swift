import Foundation

/// What TensorBoard itself reads of event files.
public struct TensorBoardEvents: Decodable {
  /// Values by tag and step.
  public let scalars: [String: [Int: Double]]
  /// Least and greatest value, number, sum, sum of squares, and sum of the buckets, by tag and step.
  public let histograms: [String: [Int: [Double]]]

  /// Whether Python has TensorBoard.
  public static let canBeRead = Python.has(
    "tensorboard.backend.event_processing.event_accumulator")

  private static let script = """
    import json, sys
    from tensorboard.backend.event_processing import event_accumulator
    events = event_accumulator.EventAccumulator(sys.argv[1])
    events.Reload()
    def by_step(events, value):
      steps = [e.step for e in events]
      assert steps == sorted(set(steps)), steps
      return {e.step: value(e) for e in events}
    def numbers(event):
      h = event.histogram_value
      return [h.min, h.max, h.num, h.sum, h.sum_squares, sum(h.bucket)]
    tags = events.Tags()
    print(json.dumps({
      "scalars": {t: by_step(events.Scalars(t), lambda e: e.value) for t in tags["scalars"]},
      "histograms": {t: by_step(events.Histograms(t), numbers) for t in tags["histograms"]},
    }))
    """

  /// Of all event files in a directory, whose steps must be in order and without repetition.
  public init(directory: String) throws {
    let text = try Python.run(Self.script, directory)
    self = try JSONDecoder().decode(TensorBoardEvents.self, from: Data(text.utf8))
  }
}
