import Foundation
import Support

/// Shows the progress of a run: on a terminal a few lines that change in place, with a bar, the course of the
/// loss and that of the validation accuracy; else a line every few iterations.
public struct ProgressReporter {
  private let isInteractive: Bool
  private let logEvery: Int
  private let width: () -> Int
  private let clock: () -> Double
  private let write: (String) -> Void

  private var throughput: Throughput
  private var block = LiveBlock()
  private var losses = CurveSketch(mostPoints: 60)
  private var validationAccuracies = CurveSketch(mostPoints: 60)
  private var curves: [String] = []
  private var lastDraw = -Double.infinity
  /// When a validation had its first batch, or told of itself last, where there is no terminal.
  private var lastLine = -Double.infinity

  /// Redrawing more often than people can see would only cost time.
  private static let secondsBetweenDraws = 0.1
  /// Of a validation, whose batches may be few and long.
  private static let secondsBetweenLines = 10.0

  /// Reports on the standard output.
  ///
  /// - Parameter logEvery: iterations from line to line of training where there is no terminal.
  public init(logEvery: Int) {
    let start = ContinuousClock.now
    self.init(
      logEvery: logEvery, isInteractive: Terminal.ofStandardOutput().isInteractive,
      width: { Terminal.ofStandardOutput().width },
      clock: { (ContinuousClock.now - start) / .seconds(1) },
      write: { try? FileHandle.standardOutput.write(contentsOf: Data($0.utf8)) })
  }

  /// - Parameters:
  ///   - isInteractive: whether to draw a bar.
  ///   - width: of the terminal, in characters.
  ///   - clock: time in seconds.
  ///   - write: takes the text.
  init(
    logEvery: Int, isInteractive: Bool, width: @escaping () -> Int,
    clock: @escaping () -> Double, write: @escaping (String) -> Void
  ) {
    self.logEvery = logEvery
    self.isInteractive = isInteractive
    self.width = width
    self.clock = clock
    self.write = write
    throughput = Throughput(start: clock())
  }

  /// Starts the clock of the rate anew, after something else than training took time.
  public mutating func resume() {
    throughput.resume(at: clock())
  }

  /// Reports an iteration.
  public mutating func update(_ status: TrainingStatus) {
    let now = clock()
    throughput.add(samples: status.samples, dataWait: status.dataWait, at: now)
    losses.add(status.loss)
    let isLast = status.iteration == status.iterationsPerEpoch || status.remainingIterations == 0
    if isInteractive {
      guard isDrawingDue(isLast: isLast) else { return }
      curves = lines(below: status)
      show(
        "epoch \(status.epoch)/\(status.epochs) ", status.iteration, of: status.iterationsPerEpoch,
        figures(status))
    } else if isLast || status.iteration % logEvery == 0 {
      write(line(status) + "\n")
    }
  }

  /// Reports a batch of a validation.
  mutating func update(_ status: ValidationStatus) {
    if isInteractive {
      guard isDrawingDue(isLast: status.samples == status.sampleCount) else { return }
      let head = "validation \(status.epoch)/\(status.epochs) "
      show(head, status.samples, of: status.sampleCount, [])
    } else if status.batch == 1 {
      lastLine = clock()
    } else if status.samples < status.sampleCount && clock() - lastLine >= Self.secondsBetweenLines
    {
      lastLine = clock()
      write(
        "validation \(status.epoch)/\(status.epochs)  "
          + "image \(status.samples)/\(status.sampleCount)\n")
    }
  }

  /// Takes an epoch into the course of the validation accuracy, 0 to 1.
  public mutating func addEpoch(validationAccuracy: Double) {
    validationAccuracies.add(validationAccuracy)
  }

  /// Prints a line of text; what changes in place stays below it.
  public func message(_ text: String) { write(block.printing(text)) }

  /// Takes away what changes in place.
  public mutating func finish() { write(block.hide()) }

  private mutating func isDrawingDue(isLast: Bool) -> Bool {
    let now = clock()
    guard isLast || now - lastDraw >= Self.secondsBetweenDraws else { return false }
    lastDraw = now
    return true
  }

  /// Shows a bar, and the curves as they were last.
  private mutating func show(_ head: String, _ done: Int, of count: Int, _ figures: [String]) {
    write(block.show([bar(head, done, of: count, figures)] + curves))
  }

  /// The course of the loss and of the epochs' validation accuracy, and the layers' rates; none where they
  /// would not fit.
  private func lines(below status: TrainingStatus) -> [String] {
    let layers = status.layerRates
    let lines = [
      line("loss    ", losses) { Format.fixed($0, 4) },
      line("valid   ", validationAccuracies) { "accuracy, now " + Format.percent($0, digits: 2) },
      "firing  \(sparkline(layers))  by layer, up to " + Format.percent(layers.max() ?? 0),
    ]
    return lines.compactMap { $0 }.filter { $0.count < width() }
  }

  /// A curve in as many characters as there is room for, and its latest value; nil where there is none yet.
  private func line(
    _ head: String, _ curve: CurveSketch, _ text: (Double) -> String
  ) -> String? {
    guard let latest = curve.latest else { return nil }
    let tail = "  " + text(latest)
    let room = width() - 1 - head.count - tail.count
    return head + sparkline(curve.points.thinned(to: max(1, room))) + tail
  }

  /// - Parameter figures: a narrow terminal loses the last ones first.
  private func bar(_ head: String, _ done: Int, of count: Int, _ figures: [String]) -> String {
    let room = width() - 1  // Writing the last column would wrap the line on some terminals.
    let countWidth = " \(count)/\(count)".count
    var figures = figures
    func tail() -> String {
      " \(done)/\(count)".padded(to: countWidth) + figures.map { "  " + $0 }.joined()
    }
    while !figures.isEmpty && head.count + tail().count + 12 > room {
      figures.removeLast()
    }
    let cells = min(30, room - head.count - tail().count - 2)
    guard cells > 0 else { return String((head + tail().dropFirst()).prefix(max(0, room))) }
    let filled = cells * done / max(1, count)
    return head + "[" + String(repeating: "#", count: filled)
      + String(repeating: ".", count: cells - filled) + "]" + tail()
  }

  private func line(_ status: TrainingStatus) -> String {
    let place =
      "epoch \(status.epoch)/\(status.epochs)"
      + "  iteration \(status.iteration)/\(status.iterationsPerEpoch)"
    return ([place] + figures(status)).joined(separator: "  ")
  }

  private func figures(_ status: TrainingStatus) -> [String] {
    let remaining = throughput.secondsPerIteration * Double(status.remainingIterations)
    return [
      "loss " + Format.fixed(status.loss, 4),
      "acc " + Format.percent(status.accuracy),
      "ETA " + Format.duration(remaining),
      Format.rate(throughput.samplesPerSecond) + " images/s",
      "firing " + Format.percent(status.firingRate),
      "data wait " + Format.percent(throughput.dataWaitShare),
    ]
  }
}

/// Speed of the last iterations, as an exponentially weighted mean over about twenty.
private struct Throughput {
  private var last: Double
  private var seconds = 0.0
  private var samples = 0.0
  private var iterations = 0.0
  private var dataWait = 0.0

  init(start: Double) {
    last = start
  }

  var secondsPerIteration: Double { seconds / iterations }
  var samplesPerSecond: Double { samples / seconds }
  var dataWaitShare: Double { dataWait / seconds }

  mutating func resume(at now: Double) {
    last = now
  }

  mutating func add(samples count: Int, dataWait wait: Double, at now: Double) {
    let decay = 0.95
    seconds = seconds * decay + (now - last)
    samples = samples * decay + Double(count)
    iterations = iterations * decay + 1
    dataWait = dataWait * decay + wait
    last = now
  }
}
