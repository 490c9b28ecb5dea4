import Foundation
import Support

/// Steps on names in a directory that happen at once. They throw `CheckpointError` with the system's
/// reason.

/// Gives a directory its final name, which must be free.
func putInPlace(_ temporary: String, as name: String) throws {
  guard rename(temporary, name) == 0 else {
    throw systemError(name, "cannot be made of \(temporary)")
  }
}

/// Makes `link` a symbolic link to `target`, at once, whatever it was before.
func pointLink(_ link: String, to target: String) throws {
  let temporary = link + ".partial"
  unlink(temporary)
  guard symlink(target, temporary) == 0, rename(temporary, link) == 0 else {
    let error = systemError(link, "cannot be made a link to \(target)")
    unlink(temporary)
    throw error
  }
}

private func systemError(_ path: String, _ what: String) -> CheckpointError {
  CheckpointError(path: path, problem: "\(what): \(systemReason())")
}
