import Testing

@testable import Benchmarking

struct IterationTraceTests {
  private func event(
    _ collective: TracedCollective, _ start: Double, _ end: Double, isPosted: Bool = false
  ) -> IterationTrace.Event {
    .init(collective: collective, start: start, end: end, isPosted: isPosted)
  }

  @Test func computingIsWhatLiesBetweenCollectives() {
    let trace = IterationTrace(
      [event(.allReduce(floats: 7), 0.75, 0.875), event(.allReduce(floats: 400), 0.5, 0.625)],
      seconds: 1)
    #expect(
      trace.actions == [
        .compute(seconds: 0.5), .collective(.allReduce(floats: 400)),
        .compute(seconds: 0.125), .collective(.allReduce(floats: 7)), .compute(seconds: 0.125),
      ])
  }

  @Test func whoWaitsForItsBatchDoesNotCompute() {
    let trace = IterationTrace(
      [event(.allReduce(floats: 7), 0.75, 0.875)], dataWait: 0.25, seconds: 1)
    #expect(
      trace.actions == [
        .wait(seconds: 0.25), .compute(seconds: 0.5), .collective(.allReduce(floats: 7)),
        .compute(seconds: 0.125),
      ])
    #expect([trace].text(rank: 0, ranks: 2).contains("\n0 sleep 0.250000000\n0 compute 5"))
  }

  @Test func overlappedCollectivesTakeNoComputingAway() {
    let trace = IterationTrace(
      [
        event(.allReduce(floats: 400), 0.25, 0.625, isPosted: true),
        event(.allReduce(floats: 7), 0.75, 0.875),
      ], seconds: 0.875)
    #expect(
      trace.actions == [
        .compute(seconds: 0.25), .post(.allReduce(floats: 400)), .compute(seconds: 0.5), .join,
        .collective(.allReduce(floats: 7)),
      ])
    // Without anything after them, they end with the iteration.
    let last = IterationTrace(
      [event(.allReduce(floats: 400), 0.25, 0.5, isPosted: true)], seconds: 0.5)
    #expect(
      last.actions == [
        .compute(seconds: 0.25), .post(.allReduce(floats: 400)), .compute(seconds: 0.25), .join,
      ])
  }

  @Test func textIsTheTimeIndependentFormat() {
    let traces = [
      IterationTrace(
        [
          event(.reduceScatter(floats: 10), 0.5, 0.5, isPosted: true),
          event(.allToAll(bytes: 20), 0.75, 0.75), event(.allGather(bytes: 40), 0.75, 1),
        ], seconds: 1),
      IterationTrace([event(.allReduce(floats: 9), 0, 1)], seconds: 1),
    ]
    #expect(
      traces.text(rank: 1, ranks: 3) == """
        1 init
        1 compute 500000000
        1 post reducescatter 10 10 10 30 5
        1 compute 250000000
        1 join
        1 alltoall 20 20 6 6
        1 allgather 40 40 6 6
        # iteration
        1 allreduce 9 9 5
        # iteration
        1 finalize

        """)
  }
}
