extension CostTable {
  private typealias Row = (
    ConvolutionKernel, ConvolutionPass, ofSpikes: Bool, float32: [Double], mixed: [Double]
  )

  private static func rows(_ times: [Row]) -> [Key: [Double]] {
    var rows: [Key: [Double]] = [:]
    for (kernel, pass, ofSpikes, float32, mixed) in times {
      let terms = CostTerms(kernel: kernel, pass: pass, ofSpikes: ofSpikes, counts: [])
      rows[Key(terms, .float32)] = float32
      rows[Key(terms, .mixed)] = mixed
    }
    return rows
  }

  /// For processors without AMX, from timings on a Zen 5 with oneDNN 2.6.3. Tiles are missing: none of
  /// these processors multiplies tiles fast enough to matter.
  static let zen5 = CostTable(
    "Zen 5",
    rows([
      (.oneDNN, .forward, false, [68, 68], [34, 34]),
      (.oneDNN, .forward, true, [68, 68], [34, 34]),
      (.oneDNN, .backwardInput, false, [68, 68], [37.4, 37.4]),
      (.oneDNN, .backwardWeights, false, [64, 6], [38.4, 3.6]),
      (.oneDNN, .backwardWeights, true, [64, 6], [38.4, 3.6]),
      (.events, .forward, true, [2, 12.5, 103], [2, 12.5, 82]),
      (.events, .backwardWeights, true, [0.5, 2.5, 3.5, 6, 81], [0.5, 2.5, 3.5, 6, 81]),
      (.winograd, .forward, false, [0.2785, 1.4995, 5.998], [0.2785, 1.4995, 5.998]),
      (.winograd, .forward, true, [0.3203, 1.7244, 6.898], [0.3203, 1.7244, 6.898]),
      (.winograd, .backwardInput, false, [0.2785, 1.4995, 5.998], [0.2785, 1.4995, 5.998]),
      (.winograd, .backwardWeights, false, [0.3528, 3.0873, 11.03], [0.3528, 3.0873, 11.03]),
      (.winograd, .backwardWeights, true, [0.4763, 4.1678, 14.88], [0.4763, 4.1678, 14.88]),
    ]))

  /// For processors with AMX, from timings on an Emerald Rapids with oneDNN 2.6.3. In some stretches its
  /// neighbours left it a quarter of the speed of tiles and two thirds of all else. So these are fits to the
  /// means of three series of 16 rounds, but for three kinds: oneDNN's forward and input gradient, by stride,
  /// are near the medians (a quarter more in mixed precision); Winograd's of real numbers are those of spikes
  /// less what unpacking took before; the input gradient by tiles in single precision has 1.6 times the
  /// fitted times, with which a network of few spikes was slower than without AMX in slow stretches.
  static let emeraldRapids = CostTable(
    "Emerald Rapids",
    rows([
      (.oneDNN, .forward, false, [150, 155], [20, 37]),
      (.oneDNN, .forward, true, [150, 155], [20, 37]),
      (.oneDNN, .backwardInput, false, [135, 150], [33, 89]),
      (.oneDNN, .backwardWeights, false, [138, 15], [42, 24]),
      (.oneDNN, .backwardWeights, true, [138, 15], [42, 24]),
      (.events, .forward, true, [4.4, 61, 215], [2, 50, 233]),
      (.events, .backwardWeights, true, [1.2, 11, 0.4, 5.3, 170], [1.8, 9.9, 0, 7.4, 176]),
      (.winograd, .forward, false, [0.77, 1.4, 8], [0.77, 1.4, 8]),
      (.winograd, .forward, true, [0.87, 1.6, 9.2], [0.87, 1.6, 9.2]),
      (.winograd, .backwardInput, false, [0.75, 5.7, 12], [0.81, 0, 12]),
      (.winograd, .backwardWeights, false, [0.57, 3.4, 9.5], [0.57, 3.4, 9.5]),
      (.winograd, .backwardWeights, true, [0.77, 4.6, 13], [0.78, 6.8, 13]),
      (.tiles, .forward, true, [1.62, 4.6, 32], [1.93, 2.4, 19]),
      (.tiles, .backwardInput, false, [2.6, 66, 14], [2.85, 28, 4.5]),
      (.tiles, .backwardWeights, true, [3.5, 0, 2.9], [4.28, 0, 1.4]),
    ]))
}
