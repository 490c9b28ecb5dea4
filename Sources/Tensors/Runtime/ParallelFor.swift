internal import COpenMP

/// The pool of threads that kernels share with oneDNN: libgomp's.
public enum ThreadPool {
  /// Sets the number of threads for work that the calling thread starts, which `OMP_THREAD_LIMIT` may limit.
  /// To be called before the first
  /// convolution is used: oneDNN sizes its workspaces by the threads that it finds then.
  public static func setThreads(_ count: Int) {
    precondition(count > 0)
    omp_set_dynamic(0)
    omp_set_num_threads(Int32(count))
  }

  /// Calls `body` such that libraries in it use the calling thread alone.
  static func withOneThread(_ body: () -> Void) {
    let threads = omp_get_max_threads()
    omp_set_num_threads(1)
    defer { omp_set_num_threads(threads) }
    body()
  }

  /// Threads for work that the calling thread starts: as many as libgomp gives it, for which memory is
  /// divided.
  public static var threads: Int { Int(min(omp_get_max_threads(), omp_get_thread_limit())) }
}

/// Splits 0 ..< `count` among the pool's threads, evenly and always in the same way.
///
/// - Parameters:
///   - grain: the least number of items that are worth a thread.
///   - body: called on each thread with the thread's number and its part, which is not empty.
package func parallelFor(
  _ count: Int, grain: Int = 1, _ body: (_ thread: Int, _ part: Range<Int>) -> Void
) {
  let threads = min(ThreadPool.threads, count / max(grain, 1))
  guard threads > 1 else {
    if count > 0 { body(0, 0..<count) }
    return
  }
  withoutActuallyEscaping(body) { body in
    var job = ParallelJob(count: count, body: body)
    withUnsafeMutablePointer(to: &job) { pointer in
      GOMP_parallel(runPart, pointer, UInt32(threads), 0)
    }
  }
}

/// Splits `count` items of so many `units` each among the pool's threads, unit by unit.
///
/// - Parameter body: called for consecutive units of one item.
func parallelFor(
  _ count: Int, units: Int, _ body: (_ thread: Int, _ item: Int, _ part: Range<Int>) -> Void
) {
  parallelFor(count * units) { thread, part in
    for item in part.lowerBound / units...(part.upperBound - 1) / units {
      let start = item * units
      body(
        thread, item,
        max(part.lowerBound - start, 0)..<min(part.upperBound - start, units))
    }
  }
}

/// The sum of what `body` returns for the fixed parts of 0 ..< `count`, in their order.
///
/// - Parameter body: called with a part and its number.
func parallelSum(
  _ count: Int, grain: Int = 1, _ body: (_ number: Int, _ part: Range<Int>) -> Double
) -> Double {
  let parts = fixedParts(count, grain: grain)
  return withUnsafeTemporaryAllocation(of: Double.self, capacity: parts) { sums in
    let base = sums.baseAddress!
    forFixedParts(count, grain: grain) { number, part in base[number] = body(number, part) }
    return sums.reduce(0, +)
  }
}

/// Divides 0 ..< `count` into parts of about the same size, whatever the number of threads, and these among
/// the pool's threads.
///
/// - Parameter body: called with a part and its number.
func forFixedParts(
  _ count: Int, grain: Int = 1, _ body: (_ number: Int, _ part: Range<Int>) -> Void
) {
  let parts = fixedParts(count, grain: grain)
  parallelFor(parts) { _, numbers in
    for number in numbers {
      body(number, count * number / parts..<count * (number + 1) / parts)
    }
  }
}

/// The number of parts that `forFixedParts` makes of `count` items.
func fixedParts(_ count: Int, grain: Int = 1) -> Int {
  max(1, min(mostFixedParts, count / max(grain, 1)))
}

/// Enough for the threads of a processor; more take more time to add up.
private let mostFixedParts = 32

/// The number of parts that `parallelFor` makes of `count` items.
func parallelParts(_ count: Int, grain: Int = 1) -> Int {
  max(1, min(ThreadPool.threads, count / max(grain, 1)))
}

private struct ParallelJob {
  let count: Int
  let body: (Int, Range<Int>) -> Void
}

private func runPart(_ context: UnsafeMutableRawPointer?) {
  let job = context!.assumingMemoryBound(to: ParallelJob.self)
  let thread = Int(omp_get_thread_num())
  let threads = Int(omp_get_num_threads())
  let count = job.pointee.count
  let part = count * thread / threads..<count * (thread + 1) / threads
  if !part.isEmpty { job.pointee.body(thread, part) }
}
