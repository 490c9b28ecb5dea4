/// Resizes frames `[H, W, 2]` of one size to another; serves one thread.
struct FrameResampler {
  private let columns: Filter
  private let rows: Filter
  /// `[outputs, W, 2]`
  private var resizedRows: [Float]

  init(from sensor: Sensor, to imageSize: Int) {
    columns = Filter(from: sensor.width, to: imageSize)
    rows = Filter(from: sensor.height, to: imageSize)
    resizedRows = Array(repeating: 0, count: imageSize * sensor.width * 2)
  }

  /// - Parameters:
  ///   - frame: `[H, W, 2]`.
  ///   - output: `[size, size, 2]`.
  mutating func resize(_ frame: UnsafePointer<Float>, into output: inout [Float]) {
    let width = columns.inputs * 2
    resizedRows.withUnsafeMutableBufferPointer { resized in
      resized.update(repeating: 0)
      for (y, taps) in rows.taps.enumerated() {
        for (index, weight) in taps.weights.enumerated() {
          let row = frame + (taps.start + index) * width
          for x in 0..<width { resized[y * width + x] += weight * row[x] }
        }
      }
      output.withUnsafeMutableBufferPointer { output in
        var next = 0
        for y in 0..<rows.taps.count {
          for taps in columns.taps {
            var (off, on) = (Float(0), Float(0))
            for (index, weight) in taps.weights.enumerated() {
              let pixel = y * width + 2 * (taps.start + index)
              off += weight * resized[pixel]
              on += weight * resized[pixel + 1]
            }
            (output[next], output[next + 1]) = (off, on)
            next += 2
          }
        }
      }
    }
  }
}

/// For each output along an axis, where it begins to look, and the weights from there on.
private struct Filter {
  let inputs: Int
  let taps: [(start: Int, weights: [Float])]

  init(from inputs: Int, to outputs: Int) {
    self.inputs = inputs
    let scale = Double(inputs) / Double(outputs)
    let support = max(scale, 1)
    taps = (0..<outputs).map { output in
      let center = (Double(output) + 0.5) * scale
      let range = max(Int(center - support + 0.5), 0)..<min(Int(center + support + 0.5), inputs)
      let weights = range.map { max(0, 1 - abs(Double($0) + 0.5 - center) / support) }
      let sum = weights.reduce(0, +)
      return (range.lowerBound, weights.map { Float($0 / sum) })
    }
  }
}
