import Tensors

/// How a parameter's elements lie in memory, as against the published PyTorch layout in files.
public enum ParameterLayout: Sendable, Equatable {
  /// The same.
  case asPublished
  /// [kernel, kernel, in, out]; published [out, in, kernel, kernel].
  case convolution(kernel: Int, inputs: Int, outputs: Int)
  /// [out, h, w, c]; published [out, c * h * w].
  case linear(outputs: Int, input: Shape)

  /// The place in memory of an element, given its place in the published order.
  func place(_ element: Int) -> Int {
    switch self {
    case .asPublished: return element
    case .convolution(let kernel, let inputs, let outputs):
      let (rest, tap) = element.quotientAndRemainder(dividingBy: kernel * kernel)
      let (output, input) = rest.quotientAndRemainder(dividingBy: inputs)
      return (tap * inputs + input) * outputs + output
    case .linear(_, let shape):
      let pixels = shape.h * shape.w
      let (rest, pixel) = element.quotientAndRemainder(dividingBy: pixels)
      let (output, channel) = rest.quotientAndRemainder(dividingBy: shape.c)
      return (output * pixels + pixel) * shape.c + channel
    }
  }
}

/// A named range of a network's flat buffers.
public final class Parameter {
  /// The name in the published PyTorch model.
  public let name: String
  /// The shape in the published PyTorch model.
  public let shape: [Int]
  /// How memory differs from that.
  public let layout: ParameterLayout
  /// The least value that an element can have, where not every number makes sense.
  public let minimum: Float?
  let initialization: Initialization
  private var views: (values: FloatView, gradient: FloatView?)?

  init(
    _ name: String, shape: [Int], layout: ParameterLayout = .asPublished,
    _ initialization: Initialization, minimum: Float? = nil
  ) {
    self.name = name
    self.shape = shape
    self.layout = layout
    self.minimum = minimum
    self.initialization = initialization
  }

  /// Number of elements.
  public var count: Int { shape.reduce(1, *) }

  /// The elements.
  public var values: FloatView { bound.values }

  /// The loss's derivatives with respect to the elements.
  public var gradient: FloatView {
    guard let gradient = bound.gradient else { fatalError("\(name) has no gradient") }
    return gradient
  }

  private var bound: (values: FloatView, gradient: FloatView?) {
    guard let views else { fatalError("the network of \(name) is not complete") }
    return views
  }

  func bind(values: FloatView, gradient: FloatView?) {
    views = (values, gradient)
  }

  /// `view`, which is laid out as this parameter, in the published order.
  public func published(_ view: FloatView) -> [Float] {
    (0..<count).map { view[layout.place($0)] }
  }

  /// Writes elements of the published order to `view`, which is laid out as this parameter.
  public func assign(published elements: [Float], to view: FloatView) {
    precondition(elements.count == count)
    for (index, element) in elements.enumerated() { view[layout.place(index)] = element }
  }
}
