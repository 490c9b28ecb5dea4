// In C, since it has to run before the libraries' own initialisers, and so before Swift: UCX, which MPICH
// brings with it, takes SIGHUP for its debugger there, and what nohup has set is gone.
#include "CHangup.h"

#include <signal.h>

static bool was_ignored;

static void look(int count, char **arguments, char **environment) {
  (void)count, (void)arguments, (void)environment;
  struct sigaction action;
  was_ignored = sigaction(SIGHUP, 0, &action) == 0 && action.sa_handler == SIG_IGN;
}

// Of executables alone, which is where it is.
__attribute__((section(".preinit_array"), used))
static void (*const first)(int, char **, char **) = look;

bool hangup_was_ignored(void) { return was_ignored; }
