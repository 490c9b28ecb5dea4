/// The part of a time that threads divide among them, and the part that takes as long with any number of them:
/// `t = serial + divided / threads` (Amdahl), with the least squares of the differences, neither part
/// negative.
struct SerialShare: Equatable {
  let serial: Double
  /// Of one thread.
  let divided: Double

  /// - Parameter times: seconds with each number of threads, two or more different ones.
  init(_ times: [(threads: Int, seconds: Double)]) {
    let count = Double(times.count)
    let x = times.map { 1 / Double($0.threads) }
    let y = times.map(\.seconds)
    let (meanX, meanY) = (x.reduce(0, +) / count, y.reduce(0, +) / count)
    let spread = x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
    precondition(spread > 0, "one number of threads tells nothing")
    let slope = zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) } / spread
    let start = meanY - slope * meanX
    if start < 0 {
      let (products, squares) = zip(x, y).reduce((0.0, 0.0)) { sums, point in
        (sums.0 + point.0 * point.1, sums.1 + point.0 * point.0)
      }
      (serial, divided) = (0, products / squares)
    } else {
      (serial, divided) = slope < 0 ? (meanY, 0) : (start, slope)
    }
  }
}
