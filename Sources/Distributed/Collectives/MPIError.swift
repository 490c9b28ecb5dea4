internal import CMPI

/// A call into MPI that failed.
public struct MPIError: Error, Equatable, CustomStringConvertible {
  /// The MPI function, such as `MPI_Allreduce`.
  public let function: String
  /// The status that it returned.
  public let code: Int32
  /// MPI's own words for the status, on one line.
  public let reason: String

  public var description: String {
    """
    \(function) failed: \(reason) (status \(code)). \
    The ranks can no longer rely on each other; the messages above this one, from mpirun or another \
    rank, usually name the cause. Check that all ranks run the same program with the same options.
    """
  }
}

/// Throws unless `status`, which the MPI function `function` returned, says success.
func checkMPI(_ status: Int32, _ function: String) throws(MPIError) {
  guard status != MPI_SUCCESS else { return }
  var text = [CChar](repeating: 0, count: Int(MPI_MAX_ERROR_STRING) + 1)
  var length: Int32 = 0
  let known = MPI_Error_string(status, &text, &length) == MPI_SUCCESS
  let reason =
    known
    ? String(decoding: text.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
      .split(whereSeparator: \.isNewline).joined(separator: " ")
    : "unknown error"
  throw MPIError(function: function, code: status, reason: reason)
}
