import Foundation

/// Steps on files that survive a crash of the machine. All throw `CheckpointError` with the system's
/// reason.

/// Writes a file and syncs it to disk.
func writeDurably(_ data: Foundation.Data, to path: String) throws {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
  guard descriptor >= 0 else { throw systemError(path, "cannot be created") }
  defer { close(descriptor) }
  var rest = data[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if count < 0 && errno == EINTR { continue }
    guard count >= 0 else { throw systemError(path, "cannot be written") }
    rest = rest.dropFirst(count)
  }
  guard fsync(descriptor) == 0 else { throw systemError(path, "cannot be synced") }
}

/// Syncs the names in a directory to disk.
func syncDirectory(_ path: String) throws {
  let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
  guard descriptor >= 0 else { throw systemError(path, "cannot be opened") }
  defer { close(descriptor) }
  // Some network file systems cannot sync directories and say EINVAL; their renames are durable.
  guard fsync(descriptor) == 0 || errno == EINVAL else {
    throw systemError(path, "cannot be synced")
  }
}

/// Gives a directory its final name, which must be free.
func putInPlace(_ directory: String, as name: String) throws {
  guard rename(directory, name) == 0 else {
    throw systemError(name, "cannot be made of \(directory)")
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

/// Bytes that this user can still write to the file system of a path; nil if it does not say.
func freeBytes(at path: String) -> Int? {
  var status = statvfs()
  guard statvfs(path, &status) == 0 else { return nil }
  return Int(status.f_bavail) * Int(status.f_frsize)
}

private func systemError(_ path: String, _ what: String) -> CheckpointError {
  CheckpointError(path: path, problem: "\(what): \(String(cString: strerror(errno)))")
}
