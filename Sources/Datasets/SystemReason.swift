import Foundation

/// Why the system refused something, in its own words where there are any: Foundation's are sometimes
/// a mere number.
public func systemReason(of error: any Error) -> String {
  if case .unreadable(_, let reason)? = error as? DatasetError { return reason }
  let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? POSIXError
  guard let code = (error as? POSIXError ?? cause)?.code ?? (error as? CocoaError)?.systemCode
  else { return error.localizedDescription }
  return String(cString: strerror(code.rawValue))
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
