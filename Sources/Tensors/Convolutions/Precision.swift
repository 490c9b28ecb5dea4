internal import COneDNN

/// The arithmetic of dense products, named as in configuration files.
public enum Precision: String, CaseIterable, Sendable {
  /// IEEE single precision throughout.
  case float32
  /// Operands of dense convolutions, and the weights that spikes add up, rounded to bfloat16 and summed
  /// in single precision; weights, sums, gradients and state kept in single precision.
  case mixed

  /// Whether the processor multiplies bfloat16 numbers, and oneDNN makes use of it.
  static var hasBFloat16: Bool { sltt_dnnl_has_bfloat16() != 0 }
}

extension ConvolutionBackend {
  /// Why convolutions are computed in another precision than asked for, and in which; `nil` if they
  /// are not.
  public var precisionProblem: String? {
    guard precision == .mixed else { return nil }
    if library != .oneDNN {
      return "float32: mixed precision needs --backend onednn, not \(library.rawValue)"
    }
    if !Precision.hasBFloat16 {
      return "float32: this processor (or ONEDNN_MAX_CPU_ISA) has no bfloat16 instructions"
        + " (avx512_bf16 or amx_bf16), which mixed precision needs"
    }
    return nil
  }

  /// The precision that convolutions are computed in.
  public var effectivePrecision: Precision { precisionProblem == nil ? precision : .float32 }
}
