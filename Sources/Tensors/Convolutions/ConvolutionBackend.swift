/// How convolutions are computed. Results differ by rounding only.
public struct ConvolutionBackend: Sendable {
  /// The library for dense convolutions, named as on the command line.
  public enum Library: String, CaseIterable, Sendable {
    /// Direct convolutions.
    case oneDNN = "onednn"
    /// A matrix product over unfolded images.
    case openBLAS = "openblas"
  }

  /// The kernels for convolutions of spikes, named as on the command line.
  public enum Kernels: String, CaseIterable, Sendable {
    /// By events where few neurons fire, else by tiles, by Winograd's method or directly, as a cost model
    /// says.
    case auto
    /// Directly, by the library, as if spikes were any numbers.
    case dense
    /// By events wherever there is a kernel for it, else directly.
    case events
    /// By Winograd's method wherever there is a kernel for it, else directly.
    case winograd
    /// By products of tiles wherever there is a kernel for it, else directly.
    case tiles
  }

  public var library: Library
  public var kernels: Kernels
  /// As asked for; see `effectivePrecision`.
  public var precision: Precision
  public var memory: MemoryUse
  /// By which `Kernels.auto` chooses.
  public var costs: CostTable

  public init(
    _ library: Library = .oneDNN, kernels: Kernels = .auto, precision: Precision = .float32,
    memory: MemoryUse = .fast, costs: CostTable = .current
  ) {
    self.library = library
    self.kernels = kernels
    self.precision = precision
    self.memory = memory
    self.costs = costs
  }

  /// Dense convolutions by oneDNN only.
  public static let oneDNN = ConvolutionBackend(.oneDNN, kernels: .dense)
  /// Dense convolutions by OpenBLAS only.
  public static let openBLAS = ConvolutionBackend(.openBLAS, kernels: .dense)

  /// A convolution of the given geometry, with temporary tensors in `arena`.
  public func convolution(_ geometry: ConvolutionGeometry, arena: Arena) -> any Convolution {
    func plain(_ geometry: ConvolutionGeometry) -> any Convolution {
      switch library {
      case .oneDNN:
        OneDNNConvolution(
          geometry, effectivePrecision, keepsPacked: memory == .fast, arena: arena)
      case .openBLAS: MatrixConvolution(geometry, arena: arena)
      }
    }
    let direct =
      kernels != .dense && SubsampledConvolution.isPossible(geometry)
      ? SubsampledConvolution(geometry, plain) : plain(geometry)
    let methods = methods(geometry, arena)
    return methods.isEmpty
      ? direct
      : ChosenConvolution(
        direct, effectivePrecision, methods, isForced: kernels != .auto, table: costs)
  }

  /// The ways there are besides the direct one.
  private func methods(
    _ geometry: ConvolutionGeometry, _ arena: Arena
  ) -> [any ConvolutionMethod] {
    func isWanted(_ kind: Kernels) -> Bool { kernels == kind || kernels == .auto }
    let keepsPacked = memory == .fast
    var methods: [any ConvolutionMethod] = []
    if isWanted(.events), EventConvolution.isPossible(geometry) {
      methods.append(
        EventConvolution(geometry, effectivePrecision, keepsPacked: keepsPacked, arena: arena))
    }
    if isWanted(.winograd), WinogradConvolution.isPossible(geometry),
      kernels == .winograd || WinogradCost(geometry: geometry).isWorthwhile
    {
      methods.append(WinogradConvolution(geometry, arena: arena))
    }
    if isWanted(.tiles) {
      methods.append(
        TileConvolution(geometry, effectivePrecision, keepsPacked: keepsPacked, arena: arena))
    }
    return methods
  }
}
