import Glibc
import Synchronization

/// The wish of a user or batch system that a run stop: SIGUSR1, SIGTERM or SIGINT.
///
/// Ranks that acted on a signal one by one would hang the others, so a signal only sets a mark; ranks
/// tell each other of it. A second signal ends the process at once, with status 128 + its number.
public enum StopSignal {
  private static let received = Atomic<Int32>(0)
  private static let numbers = [SIGUSR1, SIGTERM, SIGINT]

  /// Makes the signals set the mark. Call it after MPI is initialised.
  public static func install() {
    // Touched here, so that the handler finds it made.
    received.store(0, ordering: .relaxed)
    var mask = sigset_t()
    sigemptyset(&mask)
    defer {
      // Whoever started this process may have blocked them.
      pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    }
    for number in numbers {
      sigaddset(&mask, number)
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { number in
        let earlier = StopSignal.received.exchange(number, ordering: .relaxed)
        if earlier != 0 { _exit(128 + number) }
      }
      // System calls that the signal interrupts go on.
      action.sa_flags = SA_RESTART
      sigaction(number, &action, nil)
    }
  }

  /// Lets the signals end the process again: for one that will not look at the mark any more.
  public static func uninstall() {
    for number in numbers { signal(number, SIG_DFL) }
  }

  /// The signal that came, if one did.
  public static var name: String? {
    switch received.load(ordering: .relaxed) {
    case 0: nil
    case SIGUSR1: "SIGUSR1"
    case SIGTERM: "SIGTERM"
    default: "SIGINT"
    }
  }
}
