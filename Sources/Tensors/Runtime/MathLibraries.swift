internal import COneDNN
internal import COpenBLAS
internal import CSpikeKernels

/// The libraries and kernels that compute, as they are on this machine.
public enum MathLibraries {
  /// oneDNN's version, such as "2.6.3".
  public static var oneDNNVersion: String {
    let version = dnnl_version().pointee
    return "\(version.major).\(version.minor).\(version.patch)"
  }

  /// The instruction set that oneDNN generates code for.
  public static var oneDNNInstructionSet: String {
    switch dnnl_get_effective_cpu_isa().rawValue {
    case dnnl_cpu_isa_sse41.rawValue: "SSE 4.1"
    case dnnl_cpu_isa_avx.rawValue: "AVX"
    case dnnl_cpu_isa_avx2.rawValue: "AVX2"
    case dnnl_cpu_isa_avx2_vnni.rawValue: "AVX2 with VNNI"
    case dnnl_cpu_isa_avx512_core.rawValue: "AVX-512"
    case dnnl_cpu_isa_avx512_core_vnni.rawValue: "AVX-512 with VNNI"
    case dnnl_cpu_isa_avx512_core_bf16.rawValue: "AVX-512 with BF16"
    case dnnl_cpu_isa_avx512_core_amx.rawValue: "AVX-512 with AMX"
    case let other: "number 0x" + String(other, radix: 16)
    }
  }

  /// OpenBLAS's version and how it was built, such as "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH".
  public static var openBLASConfiguration: String {
    String(cString: openblas_get_config()).split(separator: " ").joined(separator: " ")
  }

  /// The CPU that OpenBLAS chose its kernels for, such as "SkylakeX".
  public static var openBLASCore: String {
    String(cString: openblas_get_corename())
  }

  /// The instruction set of the kernels for spikes.
  public static var kernelInstructionSet: String {
    String(cString: sltt_instruction_set())
  }

  /// Whether the calling thread takes denormal numbers for 0, which keeps speed what it is.
  public static var flushesDenormals: Bool { sltt_flushes_denormals() != 0 }
}
