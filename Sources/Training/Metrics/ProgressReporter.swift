import Foundation
import Support

/// How far training is, and how it goes.
public struct TrainingStatus: Sendable {
  /// Counted from 1.
  public var epoch: Int
  public var epochs: Int
  /// Iterations done in this epoch.
  public var iteration: Int
  public var iterationsPerEpoch: Int
  /// Iterations still to do in the run.
  public var remainingIterations: Int
  /// Samples of the iteration just done, over all ranks.
  public var samples: Int
  public var loss: Double
  /// Share of the samples that were classified correctly, 0 to 1.
  public var accuracy: Double
  /// Spikes for each neuron and time step.
  public var firingRate: Double
  /// Seconds that the ranks waited for the iteration's data, on average.
  public var dataWait: Double

  public init(
    epoch: Int, epochs: Int, iteration: Int, iterationsPerEpoch: Int, remainingIterations: Int,
    samples: Int, loss: Double, accuracy: Double, firingRate: Double, dataWait: Double
  ) {
    self.epoch = epoch
    self.epochs = epochs
    self.iteration = iteration
    self.iterationsPerEpoch = iterationsPerEpoch
    self.remainingIterations = remainingIterations
    self.samples = samples
    self.loss = loss
    self.accuracy = accuracy
    self.firingRate = firingRate
    self.dataWait = dataWait
  }
}

/// Shows the progress of training: a live bar on a terminal, else a line every few iterations.
public struct ProgressReporter {
  private let isInteractive: Bool
  private let logEvery: Int
  private let width: () -> Int
  private let clock: () -> Double
  private let write: (String) -> Void

  private var throughput: Throughput
  private var shownBar = ""
  private var lastDraw = -Double.infinity

  /// Redrawing more often than people can see would only cost time.
  private static let secondsBetweenDraws = 0.1

  /// Reports on the standard output.
  ///
  /// - Parameter logEvery: iterations from line to line where there is no terminal.
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
    let isLast = status.iteration == status.iterationsPerEpoch || status.remainingIterations == 0
    if isInteractive {
      guard isLast || now - lastDraw >= Self.secondsBetweenDraws else { return }
      lastDraw = now
      shownBar = bar(status)
      write("\r\u{1B}[K" + shownBar)
    } else if isLast || status.iteration % logEvery == 0 {
      write(line(status) + "\n")
    }
  }

  /// Prints a line of text; the bar stays below it.
  public func message(_ text: String) {
    write(shownBar.isEmpty ? text + "\n" : "\r\u{1B}[K" + text + "\n" + shownBar)
  }

  /// Takes the bar away.
  public mutating func finish() {
    if !shownBar.isEmpty {
      write("\r\u{1B}[K")
      shownBar = ""
    }
  }

  private func bar(_ status: TrainingStatus) -> String {
    let head = "epoch \(status.epoch)/\(status.epochs) "
    let room = width() - 1  // Writing the last column would wrap the line on some terminals.
    let countWidth = " \(status.iterationsPerEpoch)/\(status.iterationsPerEpoch)".count
    var figures = figures(status)
    // A narrow terminal loses the last figures first.
    func tail() -> String {
      " \(status.iteration)/\(status.iterationsPerEpoch)".padded(to: countWidth)
        + figures.map { "  " + $0 }.joined()
    }
    while !figures.isEmpty && head.count + tail().count + 12 > room {
      figures.removeLast()
    }
    let cells = min(30, room - head.count - tail().count - 2)
    guard cells > 0 else { return String((head + tail().dropFirst()).prefix(max(0, room))) }
    let filled = cells * status.iteration / max(1, status.iterationsPerEpoch)
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
