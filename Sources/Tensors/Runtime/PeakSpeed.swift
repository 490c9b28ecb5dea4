internal import COneDNN

/// How fast this machine computes at best.
public enum PeakSpeed {
  /// Floating-point operations a second of one thread, in single precision: the best of many products
  /// of matrices of 1.8 MB together, by oneDNN.
  ///
  /// - Parameter seconds: to measure for.
  public static func ofOneThread(seconds: Double = 0.3) -> Double {
    let size = 384
    let operations = 2 * Double(size * size * size)
    // Written, so that they do not all lie on the one page of zeros.
    let matrices = FlatBuffer(count: 3 * size * size)
    matrices.all.fill(0.5)
    let (a, b, c) = (
      matrices.pointer, matrices.pointer + size * size, matrices.pointer + 2 * size * size
    )
    let threads = ThreadPool.threads
    ThreadPool.setThreads(1)
    defer { ThreadPool.setThreads(threads) }
    let (side, begin) = (dnnl_dim_t(size), ContinuousClock.now)
    let n = CChar(UInt8(ascii: "N"))
    var best = Double.infinity
    repeat {
      let start = ContinuousClock.now
      let status = dnnl_sgemm(n, n, side, side, side, 1, a, side, b, side, 0, c, side)
      precondition(status == dnnl_success, "oneDNN multiplies square matrices")
      best = min(best, (ContinuousClock.now - start) / .seconds(1))
    } while (ContinuousClock.now - begin) / .seconds(1) < seconds
    return operations / best
  }
}
