import Tensors
import Testing

@testable import SpikingNetworks

/// Names and shapes as in the published PyTorch models.
struct ArchitectureTests {
  private func builder(
    _ family: NetworkFamily, _ blocks: [Int], width: Int = 64, stem: StemKind = .imagenet,
    classes: Int, channels: Int = 3
  ) -> NetworkBuilder {
    let specification = NetworkSpecification(
      family: family, blocks: blocks, width: width, stem: stem, classes: classes,
      inputChannels: channels, imageSize: 32)
    let builder = NetworkBuilder(
      specification, backend: .openBLAS, arena: Arena(capacity: 4 << 20))
    _ = builder.body(of: [PlacedPart](specification.parts))
    return builder
  }

  /// Compares names and shapes with a listing of one parameter a line.
  private func expect(
    _ parameters: [Parameter], isOrdered: Bool = false, _ listing: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let actual = parameters.map { parameter in
      let shape = parameter.shape.map { String($0) }.joined(separator: "x")
      return shape.isEmpty ? parameter.name : "\(parameter.name) \(shape)"
    }
    let expected = listing.split(separator: "\n").map { String($0) }
    let order = isOrdered ? { $0 } : { (names: [String]) in names.sorted() }
    #expect(order(actual) == order(expected), sourceLocation: sourceLocation)
  }

  /// With convolution biases but the stem's; 10 classes, 1000 for those that are for ImageNet, of which
  /// SEW-ResNets have no biases; events of 2 channels for VGG.
  @Test(
    arguments: [
      (.resNet18, 11_176_906), (.resNet34, 21_288_778), (.nfResNet34, 21_797_688),
      (.nfResNet50, 25_557_048), (.nfResNet101, 44_549_193), (.vgg11, 9_476_298),
      (.vgg13, 9_661_194), (.vgg16, 14_973_450), (.vgg19, 20_285_706),
      (.sewResNet18, 11_689_512), (.sewResNet34, 21_797_672), (.sewResNet50, 25_557_032),
    ] as [(Architecture, Int)])
  func parametersAddUp(_ architecture: Architecture, _ count: Int) {
    let isForSmallImages = [.resNet, .vgg].contains(architecture.family)
    let builder = builder(
      architecture.family, architecture.blocks, classes: isForSmallImages ? 10 : 1000,
      channels: architecture.family == .vgg ? 2 : 3)
    #expect(builder.parameters.reduce(0) { $0 + $1.count } == count)
    #expect(Set(builder.parameters.map(\.name)).count == builder.parameters.count)
    // The skip gains belong to no single layer.
    let skips = builder.parameters.count { $0.name.hasSuffix("skipinit_gain") }
    #expect(builder.layers.reduce(skips) { $0 + $1.summary.parameters } == count)
  }

  @Test func resNetHasThePublishedNames() {
    let builder = builder(.resNet, [2, 1], width: 4, classes: 10)
    expect(
      builder.parameters,
      """
      conv1.weight 4x3x3x3
      layer1.0.bn1.weight 4
      layer1.0.bn1.bias 4
      layer1.0.conv1.weight 4x4x3x3
      layer1.0.conv1.bias 4
      layer1.0.bn2.weight 4
      layer1.0.bn2.bias 4
      layer1.0.conv2.weight 4x4x3x3
      layer1.0.conv2.bias 4
      layer1.1.bn1.weight 4
      layer1.1.bn1.bias 4
      layer1.1.conv1.weight 4x4x3x3
      layer1.1.conv1.bias 4
      layer1.1.bn2.weight 4
      layer1.1.bn2.bias 4
      layer1.1.conv2.weight 4x4x3x3
      layer1.1.conv2.bias 4
      layer2.0.bn1.weight 4
      layer2.0.bn1.bias 4
      layer2.0.conv1.weight 8x4x3x3
      layer2.0.conv1.bias 8
      layer2.0.bn2.weight 8
      layer2.0.bn2.bias 8
      layer2.0.conv2.weight 8x8x3x3
      layer2.0.conv2.bias 8
      layer2.0.shortcut.weight 8x4x1x1
      layer2.0.shortcut.bias 8
      bn1.weight 8
      bn1.bias 8
      linear.weight 10x128
      linear.bias 10
      """)
    expect(
      builder.statistics,
      """
      layer1.0.bn1.running_mean 4
      layer1.0.bn1.running_var 4
      layer1.0.bn2.running_mean 4
      layer1.0.bn2.running_var 4
      layer1.1.bn1.running_mean 4
      layer1.1.bn1.running_var 4
      layer1.1.bn2.running_mean 4
      layer1.1.bn2.running_var 4
      layer2.0.bn1.running_mean 4
      layer2.0.bn1.running_var 4
      layer2.0.bn2.running_mean 8
      layer2.0.bn2.running_var 8
      bn1.running_mean 8
      bn1.running_var 8
      """)
  }

  @Test func normalizerFreeResNetHasThePublishedNames() {
    let builder = builder(.nfResNet, [1, 1], width: 4, classes: 10)
    expect(
      builder.parameters,
      """
      conv1.weight 4x3x7x7
      conv1.bias 4
      conv1.gain 4x1x1x1
      layer1.0.skipinit_gain
      layer1.0.conv1.weight 4x4x3x3
      layer1.0.conv1.bias 4
      layer1.0.conv1.gain 4x1x1x1
      layer1.0.conv2.weight 4x4x3x3
      layer1.0.conv2.bias 4
      layer1.0.conv2.gain 4x1x1x1
      layer2.0.skipinit_gain
      layer2.0.conv1.weight 8x4x3x3
      layer2.0.conv1.bias 8
      layer2.0.conv1.gain 8x1x1x1
      layer2.0.conv2.weight 8x8x3x3
      layer2.0.conv2.bias 8
      layer2.0.conv2.gain 8x1x1x1
      layer2.0.downsample.weight 8x4x1x1
      layer2.0.downsample.bias 8
      layer2.0.downsample.gain 8x1x1x1
      fc.weight 10x8
      fc.bias 10
      """)
    #expect(builder.statistics.isEmpty)
  }

  @Test func bottlenecksHaveThePublishedNames() {
    let builder = builder(.nfResNetBottleneck, [2], width: 4, classes: 10)
    expect(
      builder.parameters,
      """
      conv1.weight 4x3x7x7
      conv1.bias 4
      conv1.gain 4x1x1x1
      layer1.0.skipinit_gain
      layer1.0.conv1.weight 4x4x1x1
      layer1.0.conv1.bias 4
      layer1.0.conv1.gain 4x1x1x1
      layer1.0.conv2.weight 4x4x3x3
      layer1.0.conv2.bias 4
      layer1.0.conv2.gain 4x1x1x1
      layer1.0.conv3.weight 16x4x1x1
      layer1.0.conv3.bias 16
      layer1.0.conv3.gain 16x1x1x1
      layer1.0.downsample.weight 16x4x1x1
      layer1.0.downsample.bias 16
      layer1.0.downsample.gain 16x1x1x1
      layer1.1.skipinit_gain
      layer1.1.conv1.weight 4x16x1x1
      layer1.1.conv1.bias 4
      layer1.1.conv1.gain 4x1x1x1
      layer1.1.conv2.weight 4x4x3x3
      layer1.1.conv2.bias 4
      layer1.1.conv2.gain 4x1x1x1
      layer1.1.conv3.weight 16x4x1x1
      layer1.1.conv3.bias 16
      layer1.1.conv3.gain 16x1x1x1
      fc.weight 10x16
      fc.bias 10
      """)
  }

  @Test func vggHasThePublishedNames() {
    let builder = builder(.vgg, [1, 2], width: 4, classes: 10, channels: 2)
    expect(
      builder.parameters,
      """
      layer1.0.weight 4x2x3x3
      layer1.0.bias 4
      layer1.1.weight 4
      layer1.1.bias 4
      layer2.0.weight 8x4x3x3
      layer2.0.bias 8
      layer2.1.weight 8
      layer2.1.bias 8
      layer2.4.weight 8x8x3x3
      layer2.4.bias 8
      layer2.5.weight 8
      layer2.5.bias 8
      classifier.1.weight 10x392
      classifier.1.bias 10
      """)
    expect(
      builder.statistics,
      """
      layer1.1.running_mean 4
      layer1.1.running_var 4
      layer2.1.running_mean 8
      layer2.1.running_var 8
      layer2.5.running_mean 8
      layer2.5.running_var 8
      """)
  }

  /// SpikingJelly's, in its order; with its stem for ImageNet.
  @Test func sewResNetHasThePublishedNames() {
    let builder = builder(.sewResNet, [2, 1], width: 4, classes: 10)
    expect(
      builder.parameters, isOrdered: true,
      """
      conv1.weight 4x3x7x7
      bn1.weight 4
      bn1.bias 4
      layer1.0.conv1.weight 4x4x3x3
      layer1.0.bn1.weight 4
      layer1.0.bn1.bias 4
      layer1.0.conv2.weight 4x4x3x3
      layer1.0.bn2.weight 4
      layer1.0.bn2.bias 4
      layer1.1.conv1.weight 4x4x3x3
      layer1.1.bn1.weight 4
      layer1.1.bn1.bias 4
      layer1.1.conv2.weight 4x4x3x3
      layer1.1.bn2.weight 4
      layer1.1.bn2.bias 4
      layer2.0.conv1.weight 8x4x3x3
      layer2.0.bn1.weight 8
      layer2.0.bn1.bias 8
      layer2.0.conv2.weight 8x8x3x3
      layer2.0.bn2.weight 8
      layer2.0.bn2.bias 8
      layer2.0.downsample.0.weight 8x4x1x1
      layer2.0.downsample.1.weight 8
      layer2.0.downsample.1.bias 8
      fc.weight 10x8
      fc.bias 10
      """)
    expect(
      builder.statistics, isOrdered: true,
      """
      bn1.running_mean 4
      bn1.running_var 4
      layer1.0.bn1.running_mean 4
      layer1.0.bn1.running_var 4
      layer1.0.bn2.running_mean 4
      layer1.0.bn2.running_var 4
      layer1.1.bn1.running_mean 4
      layer1.1.bn1.running_var 4
      layer1.1.bn2.running_mean 4
      layer1.1.bn2.running_var 4
      layer2.0.bn1.running_mean 8
      layer2.0.bn1.running_var 8
      layer2.0.bn2.running_mean 8
      layer2.0.bn2.running_var 8
      layer2.0.downsample.1.running_mean 8
      layer2.0.downsample.1.running_var 8
      """)
  }

  @Test func sewBottlenecksHaveThePublishedNames() {
    let builder = builder(.sewResNetBottleneck, [1], width: 4, stem: .cifar, classes: 10)
    expect(
      builder.parameters, isOrdered: true,
      """
      conv1.weight 4x3x3x3
      bn1.weight 4
      bn1.bias 4
      layer1.0.conv1.weight 4x4x1x1
      layer1.0.bn1.weight 4
      layer1.0.bn1.bias 4
      layer1.0.conv2.weight 4x4x3x3
      layer1.0.bn2.weight 4
      layer1.0.bn2.bias 4
      layer1.0.conv3.weight 16x4x1x1
      layer1.0.bn3.weight 16
      layer1.0.bn3.bias 16
      layer1.0.downsample.0.weight 16x4x1x1
      layer1.0.downsample.1.weight 16
      layer1.0.downsample.1.bias 16
      fc.weight 10x16
      fc.bias 10
      """)
  }

  /// SpikingJelly's state dicts also have `num_batches_tracked` of each batch norm.
  @Test(
    arguments: [(.sewResNet18, 122), (.sewResNet34, 218), (.sewResNet50, 320)]
      as [(Architecture, Int)])
  func sewResNetsHaveAllOfTheStateDict(_ architecture: Architecture, _ count: Int) {
    let builder = builder(architecture.family, architecture.blocks, classes: 1000)
    let norms = builder.statistics.count { $0.name.hasSuffix(".running_mean") }
    #expect(builder.parameters.count + builder.statistics.count + norms == count)
  }
}
