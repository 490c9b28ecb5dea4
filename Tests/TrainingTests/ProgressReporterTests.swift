import Testing

@testable import Training

struct ProgressReporterTests {
  /// Catches the text, and tells the time and the width that the test wants.
  private final class Screen {
    var output = ""
    var time = 100.0
    var width = 140

    func reporter(isInteractive: Bool, logEvery: Int = 2) -> ProgressReporter {
      ProgressReporter(
        logEvery: logEvery, isInteractive: isInteractive, width: { self.width },
        clock: { self.time }, write: { self.output += $0 })
    }

    func takeOutput() -> String {
      defer { output = "" }
      return output
    }

    /// What a terminal shows after the latest change.
    func takeLines() -> [Substring] {
      let shown = takeOutput().split(separator: "\u{1B}[J", omittingEmptySubsequences: false).last!
      return shown.split(separator: "\u{1B}[", omittingEmptySubsequences: false)[0].dropFirst()
        .split(separator: "\n", omittingEmptySubsequences: false)
    }
  }

  private let screen = Screen()
  private let clear = "\r\u{1B}[J"
  private let up = "\u{1B}[3A\r"

  private func status(_ iteration: Int, of count: Int = 5) -> TrainingStatus {
    TrainingStatus(
      epoch: 2, epochs: 3, iteration: iteration, iterationsPerEpoch: count,
      remainingIterations: 2 * count - iteration, samples: 100, loss: 0.12345, accuracy: 0.961,
      firingRate: 0.1521, layerRates: [0.5, 0.25, 0.15], dataWait: 0.05)
  }

  @Test func printsPlainLinesEveryFewIterationsAndAtTheEndOfAnEpoch() {
    var reporter = screen.reporter(isInteractive: false)
    for iteration in 1...5 {
      screen.time += 0.5
      reporter.update(status(iteration))
    }
    reporter.message("done")
    reporter.finish()
    #expect(
      screen.output == """
        epoch 2/3  iteration 2/5  loss 0.1235  acc 96.1 %  ETA 4.00 s  200 images/s  firing 15.2 %  \
        data wait 10.0 %
        epoch 2/3  iteration 4/5  loss 0.1235  acc 96.1 %  ETA 3.00 s  200 images/s  firing 15.2 %  \
        data wait 10.0 %
        epoch 2/3  iteration 5/5  loss 0.1235  acc 96.1 %  ETA 2.50 s  200 images/s  firing 15.2 %  \
        data wait 10.0 %
        done

        """)
  }

  @Test func drawsABarAndCurvesOnATerminal() {
    var reporter = screen.reporter(isInteractive: true)
    screen.time += 0.5
    reporter.update(status(2))
    let curves = "\nloss    ▁  0.1235\nfiring  █▃▁  by layer, up to 50.0 %"
    let block =
      "\nepoch 2/3 [############..................] 2/5"
      + "  loss 0.1235  acc 96.1 %  ETA 4.00 s  200 images/s  firing 15.2 %"
      + "  data wait 10.0 %" + curves + up
    #expect(screen.takeOutput() == block)
    reporter.message("saved")
    #expect(screen.takeOutput() == clear + "saved\n" + block)
    screen.time += 0.5
    reporter.update(validation(batch: 3))
    #expect(
      screen.takeOutput()
        == clear + "\nvalidation 2/3 [#########.....................] 300/1000 " + curves + up)
    reporter.finish()
    #expect(screen.takeOutput() == clear)
    reporter.message("bye")
    #expect(screen.takeOutput() == "bye\n")
  }

  @Test func drawsTheCourseOfTheValidationAccuracyOnceThereIsOne() {
    var reporter = screen.reporter(isInteractive: true)
    let drawn = [0.25, 0.5, 0.375].map { accuracy in
      reporter.addEpoch(validationAccuracy: accuracy)
      screen.time += 1
      reporter.update(status(1))
      return screen.takeLines()[2]
    }
    #expect(
      drawn == [
        "valid   ▁  accuracy, now 25.00 %", "valid   ▁█  accuracy, now 50.00 %",
        "valid   ▁█▅  accuracy, now 37.50 %",
      ])
  }

  private func validation(batch: Int) -> ValidationStatus {
    ValidationStatus(
      epoch: 2, epochs: 3, batch: batch, samples: 100 * batch, sampleCount: 1000)
  }

  @Test func printsALineOfAValidationNowAndThen() {
    var reporter = screen.reporter(isInteractive: false, logEvery: 4)
    for batch in 1...10 {
      screen.time += 3
      reporter.update(validation(batch: batch))
    }
    #expect(
      screen.output == """
        validation 2/3  image 500/1000
        validation 2/3  image 900/1000

        """)
  }

  @Test func redrawsAtMostTenTimesASecondButAlwaysTheLast() {
    var reporter = screen.reporter(isInteractive: true)
    var drawn: [Int] = []
    for iteration in 1...100 {
      screen.time += 0.015625
      reporter.update(status(iteration, of: 100))
      if !screen.takeOutput().isEmpty {
        drawn.append(iteration)
      }
    }
    #expect(drawn == Array(stride(from: 1, through: 100, by: 7)) + [100])
  }

  @Test func fitsTheWidth() {
    var reporter = screen.reporter(isInteractive: true)
    var figures: [Int] = []
    for width in [200, 100, 80, 60, 40, 25, 15, 8, 1, 0] {
      screen.width = width
      screen.time += 1
      reporter.update(status(3))
      let lines = screen.takeLines()
      #expect(lines.allSatisfy { $0.count < max(1, width) })
      figures.append(lines[0].split(separator: "  ").count - 1)
    }
    #expect(figures.first == 6 && figures == figures.sorted(by: >))
    screen.width = 60
    screen.time += 1
    reporter.update(status(3))
    let bar = screen.takeLines()[0]
    #expect(bar.contains("loss 0.1235") && !bar.contains("firing"))
  }

  @Test func figuresStayInTheirPlaces() {
    var reporter = screen.reporter(isInteractive: true)
    let positions = [1, 50, 1000].map { iteration in
      screen.time += 1
      reporter.update(status(iteration, of: 1000))
      return screen.takeLines()[0].split(separator: "loss")[0].count
    }
    #expect(positions[0] == positions[1] && positions[1] == positions[2])
  }

  @Test func ratesCountTrainingTimeOnly() {
    var reporter = screen.reporter(isInteractive: false, logEvery: 1)
    screen.time += 1
    reporter.update(status(1))
    screen.time += 1000
    reporter.resume()
    screen.time += 1
    _ = screen.takeOutput()
    reporter.update(status(2))
    #expect(screen.output.contains("  100 images/s"))
    #expect(screen.output.contains("  ETA 8.00 s"))
  }

  @Test func ratesFollowTheLastIterations() {
    var reporter = screen.reporter(isInteractive: false, logEvery: 1)
    for seconds in [Double](repeating: 1, count: 50) + [Double](repeating: 2, count: 200) {
      screen.time += seconds
      _ = screen.takeOutput()
      reporter.update(status(1))
    }
    #expect(screen.output.contains("  50.0 images/s"))
  }
}
