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
    rows([
      (.oneDNN, .forward, false, [68], [34]),
      (.oneDNN, .forward, true, [68], [34]),
      (.oneDNN, .backwardInput, false, [68], [37.4]),
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

  /// For processors with AMX, from timings of prototypes of the kernels on an Emerald Rapids with oneDNN
  /// 2.6.3. It multiplied tiles at full speed or at a quarter of it, and did all else at full speed or at
  /// two thirds, by what its neighbours did; these times lie between.
  static let emeraldRapids = CostTable(
    rows([
      (.oneDNN, .forward, false, [140], [26]),
      (.oneDNN, .forward, true, [140], [26]),
      (.oneDNN, .backwardInput, false, [140], [35]),
      (.oneDNN, .backwardWeights, false, [130, 12], [65, 6]),
      (.oneDNN, .backwardWeights, true, [130, 12], [65, 6]),
      (.events, .forward, true, [10, 15, 238], [10, 15, 190]),
      (.events, .backwardWeights, true, [1.5, 6, 10, 6, 184], [1.5, 6, 10, 6, 184]),
      (.winograd, .forward, false, [0.69, 6, 44], [0.69, 6, 44]),
      (.winograd, .forward, true, [0.79, 7, 50], [0.79, 7, 50]),
      (.winograd, .backwardInput, false, [0.69, 6, 44], [0.69, 6, 44]),
      (.winograd, .backwardWeights, false, [0.85, 12, 79], [0.85, 12, 79]),
      (.winograd, .backwardWeights, true, [1.15, 16, 106], [1.15, 16, 106]),
      (.tiles, .forward, true, [2.2, 8, 24], [2.2, 8, 24]),
      (.tiles, .backwardInput, false, [2, 50, 12], [2, 50, 12]),
      (.tiles, .backwardWeights, true, [2.9, 1.3, 6], [2.9, 1.3, 6]),
    ]))
}
