/// What makes up the time of a pass by events. Units are a pixel, 64 input channels (a block, one word of
/// spikes) and 16 output channels (a column).
struct EventCost {
  let geometry: ConvolutionGeometry

  /// At output pixels: the columns of a block, whatever fires; the lists of a block, which all columns share;
  /// and the columns if every neuron fired, by the density.
  func forward(samples: Int, density: Double) -> [Double] {
    let pixels = Double(geometry.output(samples: samples).pixels)
    let lists = pixels * blocks
    return [lists * columns, lists, lists * columns * filled * density]
  }

  /// At input pixels. With stride 2 one meets a quarter of the windows: some parts are of pixels, some of
  /// windows, and so are those of spikes.
  func weightGradient(samples: Int, density: Double) -> [Double] {
    let pixels = Double(geometry.input(samples: samples).pixels)
    let share = 1 / Double(geometry.window.stride * geometry.window.stride)
    let (lists, all) = (pixels * blocks, pixels * blocks * columns)
    let spikes = all * filled * density
    return [all, all * share, lists, spikes, spikes * share]
  }

  private var blocks: Double { Double((geometry.inputChannels + 63) / 64) }
  private var columns: Double { Double((geometry.outputChannels + 15) / 16) }
  /// Of the blocks, the share that is channels.
  private var filled: Double { Double(geometry.inputChannels) / (64 * blocks) }
}
