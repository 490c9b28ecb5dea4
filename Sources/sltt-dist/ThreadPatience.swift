import Glibc

/// Starts the program anew, once, with a limit on how long idle threads of libgomp spin.
///
/// Left alone they spin for milliseconds before they sleep, which is best on cores of their own. Where
/// other processes want those cores too, every wait then costs a time slice, and two threads can be
/// many times slower than one. libgomp reads its settings when it is loaded, so only a new start can
/// set them. What the user has set stays.
func limitSpinning() {
  guard getenv("GOMP_SPINCOUNT") == nil, getenv("OMP_WAIT_POLICY") == nil else { return }
  // About a tenth of a millisecond: longer than the gaps between the kernels of an iteration.
  setenv("GOMP_SPINCOUNT", "20000", 1)
  // Returns only if it fails; then the run goes on as it is.
  execv("/proc/self/exe", CommandLine.unsafeArgv)
}
