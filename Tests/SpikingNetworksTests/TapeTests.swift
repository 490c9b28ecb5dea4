import Tensors
import TestSupport
import Testing

@testable import SpikingNetworks

struct TapeTests {
  private let shape = Shape(n: 1, h: 2, w: 2, c: 8)

  @Test func entriesComeBackInReverseOrder() {
    let arena = Arena(capacity: 4 << 20)
    var tape = Tape(arena: arena)
    let shared = SharedTensor(Tensor(shape, in: arena))
    tape.push(Tensor(shape, randomFloats(shape.count, seed: 1), in: arena))
    tape.push(Spikes(SpikeTensor(shape, in: arena) { $0 == 5 }))
    tape.push(shared)
    #expect(tape.bytes == 128 + 32 + 128 && tape.peakBytes == tape.bytes)
    #expect(tape.popInput().floats() === shared)
    guard case .spikes(let kept) = tape.popInput() else {
      Issue.record("these were spikes")
      return
    }
    let spikes = kept.planes[0]
    #expect(spikes.spikes[5] && !spikes.spikes[4])
    #expect(tape.bytes == 128)
    #expect(tape.popTensor().elements == randomFloats(shape.count, seed: 1))
    #expect(tape.bytes == 0 && tape.peakBytes == 288)
  }

  @Test func whatSeveralLayersKeepCountsOnce() {
    let arena = Arena(capacity: 4 << 20)
    var tape = Tape(arena: arena)
    let shared = SharedTensor(Tensor(shape, in: arena))
    let spikes = Spikes(SpikeTensor(shape, in: arena))
    for _ in 0..<2 {
      tape.push(.exact(shared))
      tape.pushInput(.floats(shared))
      tape.pushInput(.spikes(spikes))
      tape.push(spikes)
    }
    #expect(tape.bytes == 128 + 32)
    for _ in 0..<2 {
      #expect(tape.bytes == 128 + 32)
      _ = tape.popInput()
      _ = tape.popInput()
      #expect(tape.popInput().floats() === shared)
      _ = tape.popNormalizationInput()
    }
    #expect(tape.bytes == 0 && tape.peakBytes == 160)
  }

  /// A sum of spikes is kept by what it shares with its terms.
  @Test func planesCountOneByOne() {
    let arena = Arena(capacity: 4 << 20)
    var tape = Tape(arena: arena)
    let terms = (0..<2).map { _ in Spikes(SpikeTensor(shape, in: arena)) }
    tape.push(terms[0])
    #expect(tape.bytes == 32)
    tape.pushInput(.spikes(Spikes(planes: terms.flatMap(\.planes))))
    #expect(tape.bytes == 64)
    _ = tape.popInput()
    #expect(tape.bytes == 32)
    _ = tape.popInput()
    #expect(tape.bytes == 0)
  }

  @Test func nothingIsKeptWithoutRecording() {
    let arena = Arena(capacity: 4 << 20)
    var tape = Tape(arena: arena)
    tape.isRecording = false
    tape.beginStep()
    tape.push(Tensor(shape, in: arena))
    tape.push(Spikes(SpikeTensor(shape, in: arena)))
    tape.push(SharedTensor(Tensor(shape, in: arena)))
    #expect(tape.peakBytes == 0 && tape.pendingSteps == 0 && arena.bytesInUse == 0)
  }

  @Test func stepsWithAnEarlierOneAreKnown() {
    var tape = Tape(arena: Arena(capacity: 4 << 20))
    for _ in 0..<3 { tape.beginStep() }
    var hasEarlier: [Bool] = []
    for _ in 0..<3 {
      hasEarlier.append(tape.hasEarlierStep)
      tape.endStep()
    }
    #expect(hasEarlier == [true, true, false])
  }

  @Test func stacksGrowAndReleaseWhatTheyHold() {
    final class Witness {
      let number: Int
      init(_ number: Int) { self.number = number }
    }
    weak var left: Witness?
    do {
      var stack = Stack<Witness>()
      for number in 0..<200 { stack.push(Witness(number)) }
      for number in (1..<200).reversed() { #expect(stack.pop().number == number) }
      #expect(stack.count == 1 && !stack.isEmpty)
      let last = stack.pop()
      left = last
      stack.push(last)
    }
    #expect(left == nil)
  }
}
