import Foundation

/// The system's words for an error number, by default for `errno`.
public func systemReason(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }

/// Why the system refused something, in its own words where there are any: Foundation's are sometimes
/// a mere number.
public func systemReason(of error: any Error) -> String {
  switch error as? FileError {
  case .unreadable(_, let reason), .unwritable(_, let reason), .damaged(_, _, let reason):
    return reason
  case .notFound, .noDirectory: return systemReason(ENOENT)
  case .occupied: return systemReason(EEXIST)
  case nil: break
  }
  let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? POSIXError
  guard let code = (error as? POSIXError ?? cause)?.code ?? (error as? CocoaError)?.systemCode
  else { return error.localizedDescription }
  return systemReason(code.rawValue)
}

extension CocoaError {
  /// What the system said, where Foundation keeps only a number of its own.
  fileprivate var systemCode: POSIXErrorCode? {
    switch code {
    case .fileNoSuchFile, .fileReadNoSuchFile: .ENOENT
    case .fileReadNoPermission, .fileWriteNoPermission: .EACCES
    case .fileWriteFileExists: .EEXIST
    case .fileWriteOutOfSpace: .ENOSPC
    case .fileWriteVolumeReadOnly: .EROFS
    default: nil
    }
  }
}
