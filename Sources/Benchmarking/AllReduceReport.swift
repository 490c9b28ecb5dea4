import Support

/// The speed of all-reduces.
public struct AllReduceReport: PlottedReport {
  /// All-reduces of one size.
  public struct Row: Encodable {
    let bytes: Int
    /// In one call of MPI.
    let plainSeconds: Double
    /// For each chunk length.
    let chunkedSeconds: [Double]
    /// The same in bfloat16.
    let roundedSeconds: [Double]
  }

  let ranks: Int
  /// In floats.
  let chunkLengths: [Int]
  let rows: [Row]

  /// Bytes a second that cross each rank's link at the least, in either direction, as NCCL's tests
  /// define it: whatever the algorithm, 2 (n - 1) / n of all bytes must.
  func busBandwidth(bytes: Int, seconds: Double) -> Double {
    2 * Double(ranks - 1) / Double(ranks) * Double(bytes) / seconds
  }

  /// For people.
  public var text: String {
    let heading =
      ["bytes", "plain ms", "plain GB/s"] + chunkLengths.map { Format.count($0) }
      + chunkLengths.map { "bf16 " + Format.count($0) }
    let lines = rows.map { row in
      [
        Format.bytes(row.bytes), Format.fixed(row.plainSeconds * 1000, 3),
        gigabytes(row.bytes, row.plainSeconds),
      ] + (row.chunkedSeconds + row.roundedSeconds).map { gigabytes(row.bytes, $0) }
    }
    return """
      \(Format.counted(ranks, "rank")); bus bandwidth in GB/s, 2 (n - 1) / n of the bytes a second:
      of one MPI_Allreduce, and of the gradients' all-reduce in chunks of so many floats: as they are,
      and rounded to bfloat16 on the way (counted as float32, so that a greater number is faster)

      \(table([heading] + lines, leftAligned: 0))
      """
  }

  /// Bus bandwidth against size.
  public var plot: LinePlot {
    func points(_ seconds: (Row) -> Double) -> [LinePlot.Point] {
      rows.map {
        LinePlot.Point(
          Double($0.bytes) / 1024, busBandwidth(bytes: $0.bytes, seconds: seconds($0)) / 1e9)
      }
    }
    let plain = LinePlot.Series("MPI_Allreduce", points(\.plainSeconds), .line, color: 0)
    let chunked = chunkLengths.enumerated().map { index, length in
      LinePlot.Series(
        "chunks of \(Format.count(length))", points { $0.chunkedSeconds[index] }, .line,
        color: index + 1)
    }
    let rounded = chunkLengths.enumerated().map { index, length in
      LinePlot.Series(
        "bfloat16, chunks of \(Format.count(length))", points { $0.roundedSeconds[index] }, .line,
        color: 1 + chunkLengths.count + index)
    }
    return LinePlot(
      title: "All-reduce over \(Format.counted(ranks, "rank"))", xLabel: "size (KiB)",
      yLabel: "bus bandwidth (GB/s)", hasLogarithmicX: true, series: [plain] + chunked + rounded)
  }

  private func gigabytes(_ bytes: Int, _ seconds: Double) -> String {
    Format.fixed(busBandwidth(bytes: bytes, seconds: seconds) / 1e9, 2)
  }
}
