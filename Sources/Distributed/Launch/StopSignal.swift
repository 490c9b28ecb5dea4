import CHangup
import Glibc
import Synchronization

/// The wish of a user or batch system that a run stop: SIGUSR1, SIGTERM, SIGINT, or SIGHUP, which comes
/// when a terminal is closed.
///
/// Ranks that acted on a signal one by one would hang the others, so in training a signal only sets a
/// mark; ranks tell each other of it. Before that there is nothing to save, and the first signal ends the
/// process with `ExitStatus.interrupted`, whatever it waits for, and thereby the job. A second signal ends
/// the process at once, with status 128 + its number.
public enum StopSignal {
  private static let received = Atomic<Int32>(0)
  private static let isDeferring = Atomic(false)
  /// The bits of the signals of which this process says that they have stopped it.
  private static let announced = Atomic<UInt64>(0)
  private static let numbers = [SIGUSR1, SIGTERM, SIGINT, SIGHUP]

  /// Keeps the signals waiting until `release`, also while the program starts anew by `exec`.
  public static func hold() {
    setMask(SIG_BLOCK)
    // A library may have taken it; and `exec` keeps what is ignored, but no handlers.
    if hangup_was_ignored() { signal(SIGHUP, SIG_IGN) }
  }

  /// Lets the signals through, also those that whoever started this process may have blocked.
  public static func release() { setMask(SIG_UNBLOCK) }

  /// Makes a signal end the process or, after `beginDeferring`, set the mark.
  public static func install(in launch: Launch = .current) {
    // One rank speaks for all. SIGTERM is how an MPI launcher ends a job after an error.
    let own = launch.rank ?? 0 == 0 ? numbers.filter { $0 != SIGTERM || !launch.isByMPI } : []
    // All are touched here, so that the handler finds them made.
    announced.store(own.reduce(0) { $0 | 1 << UInt64($1) }, ordering: .relaxed)
    received.store(0, ordering: .relaxed)
    isDeferring.store(false, ordering: .relaxed)
    for number in numbers where !isIgnored(number) {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { StopSignal.handle($0) }
      // System calls that the signal interrupts go on.
      action.sa_flags = SA_RESTART
      sigaction(number, &action, nil)
    }
  }

  /// From now on a signal only sets the mark, for a run that looks at it.
  public static func beginDeferring() { isDeferring.store(true, ordering: .relaxed) }

  /// Lets the signals end the process again: for one that will not look at the mark any more.
  public static func uninstall() {
    for number in numbers where !isIgnored(number) { signal(number, SIG_DFL) }
  }

  /// Whether this is SIGHUP and whoever started the process has it ignored, as `nohup` does.
  private static func isIgnored(_ number: Int32) -> Bool {
    number == SIGHUP && hangup_was_ignored()
  }

  /// The signal that came, if one did.
  public static var name: String? {
    switch received.load(ordering: .relaxed) {
    case 0: nil
    case SIGUSR1: "SIGUSR1"
    case SIGTERM: "SIGTERM"
    case SIGHUP: "SIGHUP"
    default: "SIGINT"
    }
  }

  /// Does only what a signal handler may.
  private static func handle(_ number: Int32) {
    let earlier = received.exchange(number, ordering: .relaxed)
    if earlier != 0 { _exit(128 + number) }
    guard !isDeferring.load(ordering: .relaxed) else { return }
    if announced.load(ordering: .relaxed) >> UInt64(number) & 1 == 1 {
      let text: StaticString =
        "stopped by a signal before training began; the same command starts again\n"
      _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }
    _exit(ExitStatus.interrupted)
  }

  private static func setMask(_ how: Int32) {
    var mask = sigset_t()
    sigemptyset(&mask)
    for number in numbers { sigaddset(&mask, number) }
    pthread_sigmask(how, &mask, nil)
  }
}
