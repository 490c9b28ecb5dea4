internal import COneDNN

/// Traps with the name of the operation: shapes are checked before oneDNN sees them, so a failure is a
/// defect of this program or of the library.
func check(_ status: dnnl_status_t, _ operation: @autoclosure () -> String) {
  guard status == dnnl_success else {
    let version = dnnl_version().pointee
    fatalError(
      "oneDNN \(version.major).\(version.minor).\(version.patch) cannot \(operation())"
        + " (status \(status.rawValue)); try --backend openblas")
  }
}

/// oneDNN's CPU engine and a stream to run primitives on.
final class OneDNNStream {
  let engine: dnnl_engine_t
  let handle: dnnl_stream_t

  init() {
    var engine: dnnl_engine_t?
    check(dnnl_engine_create(&engine, dnnl_cpu, 0), "start its CPU engine")
    self.engine = engine!
    var stream: dnnl_stream_t?
    check(dnnl_stream_create(&stream, engine, 0), "create a stream")
    handle = stream!
  }

  deinit {
    dnnl_stream_destroy(handle)
    dnnl_engine_destroy(engine)
  }
}

/// A layout, to which data is attached at each execution.
final class OneDNNMemory {
  let handle: dnnl_memory_t
  private let stream: OneDNNStream

  init(_ layout: sltt_dnnl_layout, _ stream: OneDNNStream) {
    var memory: dnnl_memory_t?
    check(sltt_dnnl_memory(layout, stream.engine, &memory), "describe memory")
    handle = memory!
    self.stream = stream
  }

  /// Convolution weights as [kernel, kernel, input channels, output channels].
  ///
  /// - Parameter outputs: channels in memory, of which those of the shape are the first.
  init(weightsOf shape: sltt_dnnl_convolution, among outputs: Int, _ stream: OneDNNStream) {
    var memory: dnnl_memory_t?
    var shape = shape
    check(
      sltt_dnnl_weights_memory(&shape, Int64(outputs), stream.engine, &memory),
      "describe weights")
    handle = memory!
    self.stream = stream
  }

  deinit {
    dnnl_memory_destroy(handle)
  }

  private var layout: sltt_dnnl_layout {
    var layout: sltt_dnnl_layout?
    check(dnnl_memory_get_memory_desc(handle, &layout), "describe memory")
    return layout!
  }

  /// Bytes of data.
  var bytes: Int { Int(dnnl_memory_desc_get_size(layout)) }

  /// Whether data of one can serve as data of the other.
  func hasLayout(of other: OneDNNMemory) -> Bool {
    dnnl_memory_desc_equal(layout, other.layout) != 0
  }

  /// Says where the data is.
  func attach(_ data: UnsafeMutableRawPointer) {
    check(dnnl_memory_set_data_handle(handle, data), "address memory")
  }
}

/// Copies data from one layout to another, or adds it there.
final class OneDNNReorder {
  private let primitive: dnnl_primitive_t
  private let source: OneDNNMemory
  private let destination: OneDNNMemory
  private let stream: OneDNNStream

  init(
    from source: OneDNNMemory, to destination: OneDNNMemory, accumulating: Bool,
    _ stream: OneDNNStream
  ) {
    var primitive: dnnl_primitive_t?
    check(
      sltt_dnnl_reorder(
        source.handle, destination.handle, accumulating ? 1 : 0, stream.engine, &primitive),
      "reorder weights")
    self.primitive = primitive!
    self.source = source
    self.destination = destination
    self.stream = stream
  }

  deinit {
    dnnl_primitive_destroy(primitive)
  }

  func execute(from: UnsafeMutableRawPointer, to: UnsafeMutableRawPointer) {
    source.attach(from)
    destination.attach(to)
    let arguments = (
      dnnl_exec_arg_t(arg: sltt_dnnl_arg_from, memory: source.handle),
      dnnl_exec_arg_t(arg: sltt_dnnl_arg_to, memory: destination.handle)
    )
    withUnsafeBytes(of: arguments) { bytes in
      let list = bytes.bindMemory(to: dnnl_exec_arg_t.self)
      check(
        dnnl_primitive_execute(primitive, stream.handle, 2, list.baseAddress), "reorder weights")
    }
    check(dnnl_stream_wait(stream.handle), "reorder weights")
  }
}

/// One of the three passes of a convolution for a fixed number of samples.
final class OneDNNPass {
  private let primitive: dnnl_primitive_t
  private let argumentNames: sltt_dnnl_arguments
  private let stream: OneDNNStream
  /// x or dL/dx
  private let input: OneDNNMemory
  /// Weights or their gradient, in the layout that suits oneDNN.
  let weights: OneDNNMemory
  private let bias: OneDNNMemory?
  /// y or dL/dy
  private let output: OneDNNMemory
  private let scratch: OneDNNMemory
  /// Scratch memory that an execution is to be given.
  let scratchBytes: Int

  init(
    _ shape: sltt_dnnl_convolution, _ direction: sltt_dnnl_direction, _ stream: OneDNNStream
  ) {
    var shape = shape
    var description: dnnl_primitive_desc_t?
    check(
      sltt_dnnl_describe_convolution(&shape, direction, stream.engine, &description),
      "describe a convolution")
    defer { dnnl_primitive_desc_destroy(description) }
    argumentNames = sltt_dnnl_arguments_of(direction)
    func memory(_ what: dnnl_query_t) -> OneDNNMemory {
      OneDNNMemory(sltt_dnnl_layout_of(description, what)!, stream)
    }
    input = memory(argumentNames.input_query)
    weights = memory(argumentNames.weights_query)
    output = memory(argumentNames.output_query)
    scratch = memory(dnnl_query_scratchpad_md)
    scratchBytes = scratch.bytes
    bias =
      shape.has_bias != 0
      ? OneDNNMemory(
        sltt_dnnl_layout_at(description, argumentNames.weights_query, 1)!, stream) : nil
    var primitive: dnnl_primitive_t?
    check(dnnl_primitive_create(&primitive, description), "create a convolution")
    self.primitive = primitive!
    self.stream = stream
  }

  deinit {
    dnnl_primitive_destroy(primitive)
  }

  /// Scratch memory of an execution, for as many threads as there are now.
  static func scratchBytes(
    _ shape: sltt_dnnl_convolution, _ direction: sltt_dnnl_direction, _ stream: OneDNNStream
  ) -> Int {
    var shape = shape
    var description: dnnl_primitive_desc_t?
    // What cannot be computed is refused where it is.
    guard
      sltt_dnnl_describe_convolution(&shape, direction, stream.engine, &description)
        == dnnl_success
    else { return 0 }
    defer { dnnl_primitive_desc_destroy(description) }
    return OneDNNMemory(sltt_dnnl_layout_of(description, dnnl_query_scratchpad_md)!, stream).bytes
  }

  /// - Parameter workspace: `scratchBytes` bytes.
  func execute(
    input x: UnsafeMutableRawPointer, weights w: UnsafeMutableRawPointer,
    bias b: UnsafeMutableRawPointer?, output y: UnsafeMutableRawPointer,
    workspace: UnsafeMutableRawPointer
  ) {
    input.attach(x)
    weights.attach(w)
    output.attach(y)
    scratch.attach(workspace)
    if let b { bias?.attach(b) }
    let arguments = (
      dnnl_exec_arg_t(arg: argumentNames.input, memory: input.handle),
      dnnl_exec_arg_t(arg: argumentNames.weights, memory: weights.handle),
      dnnl_exec_arg_t(arg: argumentNames.output, memory: output.handle),
      dnnl_exec_arg_t(arg: sltt_dnnl_arg_scratchpad, memory: scratch.handle),
      dnnl_exec_arg_t(arg: argumentNames.bias, memory: bias?.handle)
    )
    withUnsafeBytes(of: arguments) { bytes in
      let list = bytes.bindMemory(to: dnnl_exec_arg_t.self)
      check(
        dnnl_primitive_execute(
          primitive, stream.handle, bias == nil ? 4 : 5, list.baseAddress),
        "execute a convolution")
    }
    check(dnnl_stream_wait(stream.handle), "execute a convolution")
  }
}
