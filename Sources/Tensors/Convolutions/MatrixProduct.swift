internal import COpenBLAS

/// `C = A B` or `C += A B` of row-major matrices, by OpenBLAS on the calling thread.
struct MatrixProduct {
  /// Rows of A and C.
  var m: Int
  /// Columns of B and C.
  var n: Int
  /// Columns of A, rows of B.
  var k: Int
  /// Whether A is given as [k, m].
  var transposingA = false
  /// Whether B is given as [n, k].
  var transposingB = false

  /// Threads are ours: OpenBLAS must not start a second pool. Where it is built with OpenMP, it sets the
  /// number of the calling thread, too.
  private static let singleThreaded: Void = ThreadPool.withOneThread { openblas_set_num_threads(1) }

  func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    adding: Bool
  ) {
    Self.singleThreaded
    cblas_sgemm(
      CblasRowMajor, transposingA ? CblasTrans : CblasNoTrans,
      transposingB ? CblasTrans : CblasNoTrans, Int32(m), Int32(n), Int32(k), 1, a,
      Int32(transposingA ? m : k), b, Int32(transposingB ? k : n), adding ? 1 : 0, c, Int32(n))
  }
}
