import Testing

@testable import Tensors

struct ArenaTests {
  @Test func handsOutTheFirstRangeThatFits() {
    let arena = testArena()
    let blocks = [256, 64, 128, 64, 512].map { arena.allocate(bytes: $0) }
    arena.release(blocks[0], bytes: 256)
    arena.release(blocks[2], bytes: 128)
    #expect(arena.allocate(bytes: 100) == blocks[0])
    #expect(arena.allocate(bytes: 192) == blocks[4] + 512)
    #expect(arena.allocate(bytes: 128) == blocks[0] + 128)
    #expect(arena.allocate(bytes: 128) == blocks[2])
  }

  @Test(arguments: [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]])
  func releasedNeighboursBecomeOneRange(_ order: [Int]) {
    let arena = testArena()
    let blocks = (0..<3).map { _ in arena.allocate(bytes: 64) }
    let last = arena.allocate(bytes: 64)
    for index in order { arena.release(blocks[index], bytes: 64) }
    #expect(arena.allocate(bytes: 192) == blocks[0])
    #expect(last == blocks[0] + 192)
  }

  @Test func blocksAreAlignedAndCountedInWholeCacheLines() {
    let arena = testArena()
    let block = arena.allocate(bytes: 65)
    #expect(Int(bitPattern: block) % 64 == 0)
    #expect(arena.bytesInUse == 128)
    // Even nothing has a place of its own.
    #expect(arena.allocate(bytes: 0) == block + 128)
    #expect(arena.bytesInUse == 192)
  }

  @Test func peakIsTheMostInUseAtOnce() {
    let arena = testArena()
    let first = arena.allocate(bytes: 1024)
    arena.release(first, bytes: 1024)
    let second = arena.allocate(bytes: 512)
    #expect(arena.bytesInUse == 512 && arena.peakBytes == 1024)
    arena.release(second, bytes: 512)
    #expect(arena.bytesInUse == 0 && arena.peakBytes == 1024)
  }

  @Test func aRepeatedSequenceTakesTheSamePlacesWithoutGrowth() {
    let arena = testArena()
    func iteration() -> [UnsafeMutableRawPointer] {
      var random = RandomStream(seed: 5, purpose: .augmentation)
      var (held, places): ([(UnsafeMutableRawPointer, Int)], [UnsafeMutableRawPointer]) = ([], [])
      for _ in 0..<200 {
        if held.count > 20 || !held.isEmpty && random.uniform() < 0.4 {
          let (block, bytes) = held.remove(at: random.uniform(below: held.count))
          arena.release(block, bytes: bytes)
        } else {
          let bytes = random.uniform(below: 1 << 20)
          held.append((arena.allocate(bytes: bytes), bytes))
          places.append(held.last!.0)
        }
      }
      for (block, bytes) in held { arena.release(block, bytes: bytes) }
      return places
    }
    let places = iteration()
    let (committed, peak) = (arena.committedBytes, arena.peakBytes)
    #expect(committed > 4 << 20)
    for _ in 0..<3 { #expect(iteration() == places) }
    #expect(arena.committedBytes == committed && arena.peakBytes == peak && arena.bytesInUse == 0)
  }

  @Test func growsByWhatTheLastRangeLacks() {
    let arena = testArena()
    _ = arena.allocate(bytes: 3 << 20)
    #expect(arena.committedBytes == 4 << 20)
    // 1 MiB is left, 4 MiB are added.
    _ = arena.allocate(bytes: 5 << 20)
    #expect(arena.committedBytes == 8 << 20)
    #expect(arena.bytesInUse == 8 << 20)
  }

  /// A small block between two large ones leaves a hole that a larger one does not fit into.
  private func passWithAHole(_ arena: Arena, extra: Int? = nil) -> [Int] {
    arena.beginPass(samples: 4)
    defer { arena.endPass() }
    let sizes = [2 << 20, 1 << 20, 3 << 20]
    let first = arena.allocate(bytes: sizes[0])
    let second = arena.allocate(bytes: sizes[1])
    arena.release(first, bytes: sizes[0])
    let other = extra.map { arena.allocate(bytes: $0) }
    let third = arena.allocate(bytes: sizes[2])
    let places = [first, second, third].map { Int(bitPattern: $0) }
    for (block, bytes) in [(second, sizes[1]), (third, sizes[2])] {
      arena.release(block, bytes: bytes)
    }
    if let other { arena.release(other, bytes: extra!) }
    return places
  }

  @Test func passesAfterTheFirstLeaveNoHoles() {
    let arena = testArena()
    let recorded = passWithAHole(arena)
    #expect(recorded[2] - recorded[0] == 3 << 20)
    for _ in 0..<2 {
      let planned = passWithAHole(arena)
      // The largest lies lowest, and the small one above it.
      #expect(planned[2] == planned[0] && planned[1] - planned[2] == 3 << 20)
    }
    #expect(arena.bytesInUse == 0 && arena.peakBytes == 4 << 20)
  }

  /// What is not planned lies above, and the others keep their places.
  @Test func aBlockMoreDoesNotDisturbThePlan() {
    let arena = testArena()
    _ = passWithAHole(arena)
    let planned = passWithAHole(arena)
    #expect(passWithAHole(arena, extra: 64 << 10) == planned)
    #expect(passWithAHole(arena) == planned)
  }

  @Test func aSmallerPassHasNoPlan() {
    let arena = testArena()
    _ = passWithAHole(arena)
    arena.beginPass(samples: 3)
    let blocks = [2 << 20, 1 << 20].map { arena.allocate(bytes: $0) }
    #expect(blocks[1] - blocks[0] == 2 << 20)
    arena.release(blocks[0], bytes: 2 << 20)
    arena.release(blocks[1], bytes: 1 << 20)
    arena.endPass()
    #expect(passWithAHole(arena) == passWithAHole(arena))
  }

  /// Passes of any kind, in any order, get blocks that do not overlap.
  @Test func blocksNeverOverlapWhateverThePassAsksFor() {
    let arena = testArena()
    var random = RandomStream(seed: 9, purpose: .augmentation)
    var held: [Range<Int>] = []
    for _ in 0..<40 {
      arena.beginPass(samples: 1 + random.uniform(below: 3))
      // Much the same, with blocks left out, added and of other sizes.
      var usual = RandomStream(seed: 1, purpose: .augmentation)
      for _ in 0..<60 {
        var bytes = usual.uniform(below: 1 << 19)
        let isKept = usual.uniform() < 0.5
        if random.uniform() < 0.05 { bytes = random.uniform(below: 1 << 20) }
        if random.uniform() < 0.05 { continue }
        let start = Int(bitPattern: arena.allocate(bytes: bytes))
        let block = start..<start + max(bytes, 1)
        #expect(!held.contains { $0.overlaps(block) })
        held.append(block)
        while isKept ? held.count > 20 : held.count > 10 {
          let block = held.removeFirst()
          arena.release(UnsafeMutableRawPointer(bitPattern: block.lowerBound)!, bytes: block.count)
        }
      }
      arena.endPass()
    }
    #expect(held.reduce(0) { $0 + ($1.count + 63) / 64 * 64 } == arena.bytesInUse)
  }

  /// Holes of the first pass are given back, so that they take no memory.
  @Test func unusedMemoryGoesBack() {
    let arena = testArena()
    arena.beginPass(samples: 1)
    var blocks: [UnsafeMutableRawPointer] = []
    func write(_ bytes: Int) {
      let block = arena.allocate(bytes: bytes)
      block.initializeMemory(as: UInt8.self, repeating: 1, count: bytes)
      blocks.append(block)
    }
    for _ in 0..<8 { write(4 << 20) }
    for index in [0, 2, 4, 6] { arena.release(blocks[index], bytes: 4 << 20) }
    // No hole is large enough for them.
    for _ in 0..<2 { write(8 << 20) }
    #expect(arena.committedBytes == 48 << 20)
    #expect(arena.peakBytes == 32 << 20)
    // Fresh memory is zero, and old content would be 1.
    let hole = arena.allocate(bytes: 1 << 20)
    #expect(hole == blocks[0])
    #expect(UnsafeRawBufferPointer(start: hole, count: 1 << 20).allSatisfy { $0 == 0 })
    // What is in use keeps its content.
    for index in [1, 3, 5, 7] {
      #expect(UnsafeRawBufferPointer(start: blocks[index], count: 4 << 20).allSatisfy { $0 == 1 })
    }
    arena.endPass()
  }

  @Test func memoryKeepsWhatIsWritten() {
    let arena = testArena()
    let blocks = (0..<8).map { value in
      let block = arena.allocate(bytes: 1 << 20)
      block.initializeMemory(as: UInt8.self, repeating: UInt8(value), count: 1 << 20)
      return UnsafeRawBufferPointer(start: block, count: 1 << 20)
    }
    for (value, block) in blocks.enumerated() { #expect(block.allSatisfy { $0 == value }) }
  }
}
