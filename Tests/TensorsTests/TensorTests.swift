import TestSupport
import Testing

@testable import Tensors

struct TensorTests {
  private let shape = Shape(n: 3, h: 2, w: 2, c: 5)

  @Test func elementsAreInTheOrderOfMemory() {
    let arena = testArena()
    let values = randomFloats(shape.count, seed: 1)
    var tensor = Tensor(shape, values, in: arena)
    #expect(tensor.elements == values && tensor.bytes == 240)
    tensor[17] = 42
    #expect(tensor[17] == 42 && tensor[16] == values[16] && tensor[18] == values[18])
    #expect(tensor.elements[17] == 42)
    tensor.reshape(to: Shape(n: 6, c: 10))
    #expect(tensor.shape == Shape(n: 6, c: 10) && tensor[17] == 42)
  }

  @Test func memoryGoesBackAtTheEndOfLife() {
    let arena = testArena()
    do {
      let tensor = Tensor(shape, in: arena)
      let copy = tensor.copy(in: arena)
      #expect(copy.shape == shape && arena.bytesInUse == 2 * 256)
    }
    #expect(arena.bytesInUse == 0)
  }

  @Test func viewsShareMemoryAndDoNotReleaseIt() {
    let arena = testArena()
    let values = randomFloats(shape.count, seed: 2)
    let tensor = Tensor(shape, values, in: arena)
    tensor.withSamples(from: 1, count: 2) { part in
      #expect(part.shape == shape.withSamples(2))
      #expect(part.elements == Array(values[20...]))
      #expect(part.pointer == tensor.pointer + 20)
    }
    values.withUnsafeBufferPointer {
      let tensor = Tensor(viewOf: $0, shape)
      #expect(tensor.elements == values && UnsafePointer(tensor.pointer) == $0.baseAddress)
    }
    #expect(arena.bytesInUse == 256)
  }

  @Test func pyTorchsOrderIsTransposed() {
    let shape = Shape(n: 2, h: 1, w: 2, c: 3)
    let tensor = Tensor(nchw: (0..<12).map { Float($0) }, shape, in: testArena())
    #expect(tensor.elements == [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11])
  }

  @Test func copiesAreIndependent() {
    let arena = testArena()
    var tensor = Tensor(shape, randomFloats(shape.count, seed: 3), in: arena)
    let before = tensor.elements
    let copy = tensor.copy(in: arena)
    tensor.fill(7)
    #expect(copy.elements == before && tensor.elements.allSatisfy { $0 == 7 })
  }

  @Test(arguments: [1, 2, 3]) func arithmeticIsElementwise(_ threads: Int) {
    // Enough elements for each thread to take part, and a number that does not divide evenly.
    let shape = Shape(n: 1, c: 50_001)
    let (a, b) = (gridFloats(shape.count, seed: 4), gridFloats(shape.count, seed: 5))
    let arena = testArena()
    withThreads(threads) {
      var tensor = Tensor(shape, a, in: arena)
      tensor.add(Tensor(shape, b, in: arena))
      expectEqual(tensor.elements, zip(a, b).map { $0 + $1 }, "sum")
      tensor.add(Tensor(shape, b, in: arena), afterTimes: 0.25)
      expectEqual(tensor.elements, zip(a, b).map { ($0 + $1) / 4 + $1 }, "decayed sum")
      tensor.scale(by: -2)
      expectEqual(tensor.elements, zip(a, b).map { -($0 + $1) / 2 - 2 * $1 }, "scaled")
      tensor.fill(0.5)
      expectEqual(tensor.elements, a.map { _ in 0.5 }, "filled")
    }
  }

  @Test func floatViewsReferToTheirBuffer() {
    let buffer = FlatBuffer(count: 10)
    #expect(buffer.all.elements.allSatisfy { $0 == 0 })
    let view = buffer[2..<8]
    view.assign([1, 2, 3, 4, 5, 6])
    view[1..<3].fill(9)
    view[5] = 7
    #expect(buffer.all.elements == [0, 0, 1, 9, 9, 4, 5, 7, 0, 0])
    #expect(view[0] == 1 && view.count == 6 && view[1..<3].elements == [9, 9])
  }
}
