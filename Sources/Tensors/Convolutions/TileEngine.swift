internal import CSpikeKernels
import Foundation

/// What multiplies tiles, named by the instructions it uses. All engines compute the same bits.
public enum TileEngine: String, CaseIterable, Sendable {
  case plain = "any"
  case avx2
  case vnni = "avx512_vnni"
  case amx

  /// Whether the processor has it, the system lets it be used, and SLTT_VECTORS allows it.
  public var isAvailable: Bool { sltt_has_tile_engine(code) != 0 }

  /// The fastest that there is.
  public static let best = allCases.last { $0.isAvailable }!

  /// Why AMX is not used, which the processor has; nil where it is used, or there is none.
  public static var missingAMX: String? {
    switch sltt_amx() {
    case SLTT_AMX_LEFT_OUT: "AMX left out, as SLTT_VECTORS says"
    case SLTT_AMX_REFUSED: "the system refuses AMX: \(String(cString: strerror(sltt_amx_error())))"
    default: nil
    }
  }

  var code: sltt_tile_engine {
    switch self {
    case .plain: SLTT_TILES_PLAIN
    case .avx2: SLTT_TILES_AVX2
    case .vnni: SLTT_TILES_VNNI
    case .amx: SLTT_TILES_AMX
    }
  }
}
