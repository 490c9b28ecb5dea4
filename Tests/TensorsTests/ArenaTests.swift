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
