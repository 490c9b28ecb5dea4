// Loaded into ranks (LD_PRELOAD) that outnumber the cores. Open MPI polls while it waits, and offers its
// core to others with sched_yield, of which Linux does not make much; a short sleep really lets them run.
#include <sys/prctl.h>
#include <time.h>

int sched_yield(void) {
  static __thread int is_prompt;
  // By default, Linux lets a thread sleep some 50 microseconds longer still.
  if (!is_prompt) is_prompt = prctl(PR_SET_TIMERSLACK, 1UL) == 0;
  const struct timespec time = {.tv_nsec = 10000};
  return nanosleep(&time, 0);
}
