// Makes the collectives of training on one machine take the time that they would take on a network of
// many. It is loaded before MPI (mpirun -x LD_PRELOAD=…) and takes the place of MPI's functions, which
// stay within reach under their PMPI_ names.
//
// A collective of p ranks goes around a ring: in each step every rank sends a part, 1 / p of the
// buffer, to the next one. An all-reduce takes 2 (p - 1) steps; a reduce-scatter, an all-gather and an
// all-to-all take p - 1 each. A step takes latency + part / bandwidth.
//
//   NETWORK_GIGABITS   bandwidth of a rank's link, in Gbit/s, each way
//   NETWORK_LATENCY    of a message, in microseconds
//   NETWORK_RANKS      p, which may be more than the ranks that really run
//   NETWORK_WAIT       what a thread does during a transfer: sleep, or spin as Open MPI does. A thread
//                      besides the main one that sleeps also goes before others when it wakes, as
//                      though it had a core of its own; this needs CAP_SYS_NICE.
#define _GNU_SOURCE
#include <errno.h>
#include <mpi.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static struct {
  double bandwidth;  // bytes a second
  double latency;    // seconds
  double ranks;
  bool spins;
} network;

static const double POLL_SECONDS = 20e-6;
// What it may take until a thread that slept runs again.
static const double WAKING_SECONDS = 80e-6;

static void refuse(const char *name, const char *expected) {
  const char *value = getenv(name);
  fprintf(stderr, "%s: %s, not %s\n", name, expected, value ? value : "left out");
  _exit(EXIT_FAILURE);
}

static double positive(const char *name) {
  const char *text = getenv(name);
  char *end;
  double value = text ? strtod(text, &end) : 0;
  if (!(value > 0) || *end != '\0') refuse(name, "a number above 0 is expected");
  return value;
}

__attribute__((constructor)) static void describe(void) {
  network.bandwidth = positive("NETWORK_GIGABITS") * 1e9 / 8;
  network.latency = positive("NETWORK_LATENCY") * 1e-6;
  network.ranks = positive("NETWORK_RANKS");
  const char *wait = getenv("NETWORK_WAIT");
  network.spins = wait && strcmp(wait, "spin") == 0;
  if (!network.spins && (!wait || strcmp(wait, "sleep") != 0)) {
    refuse("NETWORK_WAIT", "sleep or spin is expected");
  }
}

static void take_precedence(void) {
  static __thread bool is_done;
  if (is_done || network.spins || gettid() == getpid()) return;
  is_done = true;
  const struct sched_param priority = {.sched_priority = 1};
  if (sched_setscheduler(0, SCHED_RR, &priority) != 0) {
    perror("SCHED_RR, which NETWORK_WAIT=sleep needs");
    _exit(EXIT_FAILURE);
  }
}

// Seconds on a clock that all processes of a machine share.
static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void sleep_until(double end) {
  // By default, Linux lets a thread sleep some 50 microseconds longer still.
  prctl(PR_SET_TIMERSLACK, 1UL);
  struct timespec time = {.tv_sec = (time_t)end};
  time.tv_nsec = (long)(1e9 * (end - (double)time.tv_sec));
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) continue;
}

static void wait_until(double end) {
  if (!network.spins) sleep_until(end - WAKING_SECONDS);
  while (now() < end) continue;
}

// Ranks of one machine may also have a communicator of their own, which crosses no network.
static bool crosses(MPI_Comm communicator) { return communicator == MPI_COMM_WORLD; }

// Returns the time at which the last rank arrived, when it has: no transfer begins before. The wait
// must sleep where transfers do, which none of MPI's blocking functions does.
static double all_arrived(MPI_Comm communicator) {
  take_precedence();
  double own = now(), last;
  MPI_Request request;
  PMPI_Iallreduce(&own, &last, 1, MPI_DOUBLE, MPI_MAX, communicator, &request);
  for (;;) {
    int complete;
    PMPI_Test(&request, &complete, MPI_STATUS_IGNORE);
    if (complete) return last;
    if (!network.spins) sleep_until(now() + POLL_SECONDS);
  }
}

// Returns when a transfer of so many steps is over. The real one is part of that time.
static void transfer(double start, double steps, double bytes) {
  double seconds = steps * (network.latency + bytes / network.ranks / network.bandwidth);
  // Transfers of several threads have one wire, and queue.
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static double free_from;
  pthread_mutex_lock(&lock);
  if (free_from < start) free_from = start;
  free_from += seconds;
  double end = free_from;
  pthread_mutex_unlock(&lock);
  wait_until(end);
}

static double size_of(int count, MPI_Datatype type) {
  int size;
  PMPI_Type_size(type, &size);
  return (double)count * size;
}

// The size of what all ranks give together, each `count` values.
static double size_of_all(int count, MPI_Datatype type, MPI_Comm communicator) {
  int ranks;
  PMPI_Comm_size(communicator, &ranks);
  return ranks * size_of(count, type);
}

int MPI_Allreduce(
    const void *from, void *to, int count, MPI_Datatype type, MPI_Op operation,
    MPI_Comm communicator) {
  if (!crosses(communicator)) {
    return PMPI_Allreduce(from, to, count, type, operation, communicator);
  }
  double start = all_arrived(communicator);
  int status = PMPI_Allreduce(from, to, count, type, operation, communicator);
  transfer(start, 2 * (network.ranks - 1), size_of(count, type));
  return status;
}

int MPI_Reduce_scatter_block(
    const void *from, void *to, int count, MPI_Datatype type, MPI_Op operation,
    MPI_Comm communicator) {
  if (!crosses(communicator)) {
    return PMPI_Reduce_scatter_block(from, to, count, type, operation, communicator);
  }
  double start = all_arrived(communicator);
  int status = PMPI_Reduce_scatter_block(from, to, count, type, operation, communicator);
  transfer(start, network.ranks - 1, size_of_all(count, type, communicator));
  return status;
}

int MPI_Allgather(
    const void *from, int from_count, MPI_Datatype from_type, void *to, int to_count,
    MPI_Datatype to_type, MPI_Comm communicator) {
  if (!crosses(communicator)) {
    return PMPI_Allgather(from, from_count, from_type, to, to_count, to_type, communicator);
  }
  double start = all_arrived(communicator);
  int status = PMPI_Allgather(from, from_count, from_type, to, to_count, to_type, communicator);
  transfer(start, network.ranks - 1, size_of_all(to_count, to_type, communicator));
  return status;
}

int MPI_Alltoall(
    const void *from, int from_count, MPI_Datatype from_type, void *to, int to_count,
    MPI_Datatype to_type, MPI_Comm communicator) {
  if (!crosses(communicator)) {
    return PMPI_Alltoall(from, from_count, from_type, to, to_count, to_type, communicator);
  }
  double start = all_arrived(communicator);
  int status = PMPI_Alltoall(from, from_count, from_type, to, to_count, to_type, communicator);
  transfer(start, network.ranks - 1, size_of_all(to_count, to_type, communicator));
  return status;
}
