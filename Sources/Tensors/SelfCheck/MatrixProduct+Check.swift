extension MatrixProduct {
  /// Computes a product, as `multiply` does.
  typealias Function = (
    _ product: MatrixProduct, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    _ c: UnsafeMutablePointer<Float>, _ isAdding: Bool
  ) -> Void

  /// Shapes as classifiers and unfolded convolutions have them, and ragged ones.
  static var checks: [MathCheck] {
    [(1, 10, 64), (33, 17, 65), (64, 48, 577), (130, 96, 33), (256, 64, 128)].map { m, n, k in
      MathCheck(.matrixProducts, "\(m) x \(k) x \(n)") {
        RoundingCheck(
          worstOf: [(false, false), (true, false), (false, true)].map { transposesA, transposesB in
            MatrixProduct(m: m, n: n, k: k, transposingA: transposesA, transposingB: transposesB)
              .check()
          })
      }
    }
  }

  /// Holds `C = A B` and `C += A B` against a plain loop.
  ///
  /// - Parameter function: what computes the products.
  func check(by function: Function = { $0.multiply($1, $2, into: $3, adding: $4) }) -> RoundingCheck
  {
    let a = checkValues(m * k, seed: 1)
    let b = checkValues(k * n, seed: 2)
    let start = checkValues(m * n, seed: 3)
    let checks = [false, true].map { isAdding -> RoundingCheck in
      var c = isAdding ? start : [Float](repeating: .nan, count: m * n)
      function(self, a, b, &c, isAdding)
      let expected = plain(a, b, addingTo: isAdding ? start : nil)
      let magnitudes = plain(
        a.map(\.magnitude), b.map(\.magnitude),
        addingTo: isAdding ? start.map(\.magnitude) : nil)
      return RoundingCheck(c, expected, magnitudes: magnitudes, roundings: k + 1)
    }
    return RoundingCheck(worstOf: checks)
  }

  /// The product by its definition, in double precision.
  private func plain(_ a: [Float], _ b: [Float], addingTo c: [Float]?) -> [Float] {
    (0..<m * n).map { index in
      let (row, column) = index.quotientAndRemainder(dividingBy: n)
      var sum = Double(c?[index] ?? 0)
      for i in 0..<k {
        let left = a[transposingA ? i * m + row : row * k + i]
        let right = b[transposingB ? column * k + i : i * n + column]
        sum += Double(left) * Double(right)
      }
      return Float(sum)
    }
  }
}
