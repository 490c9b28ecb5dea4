// A network switch in user space: name spaces of this machine become hosts on a network with bandwidth
// and latency, also where the kernel has no netem.
//
//   switch PORTS MEGABITS MICROSECONDS
//
// makes the TAP devices port0, port1, …, prints a line when they are there, and switches frames between
// them until it is ended. Every port has a link of MEGABITS each way, on which frames queue, and a frame
// takes MICROSECONDS from one end to the other beyond the time that its bits take. Bits pass a switch as
// they come in (cut-through), so that a frame's bits take their time once where links are idle. The device
// of port P must have the hardware address 02:00:00:00:00:P. Nothing is lost but what exceeds QUEUE.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
  LARGEST_FRAME = 65536 + 64,
  PORTS = 64,
  // Of an Ethernet frame, what does not reach the device: preamble, checksum and gap.
  OVERHEAD = 8 + 4 + 12,
  QUEUE = 256 << 20,
  BATCH = 16,
};

struct Frame {
  struct Frame *next;
  int64_t due;
  size_t size;
  unsigned char bytes[];
};

struct Port {
  int file;
  int64_t sending_until, receiving_until;  // when its link is idle again
  struct Frame *first, *last;  // on their way to it
  size_t queued;
};

static struct Port ports[PORTS];
static int port_count;
static double nanoseconds_per_byte;
static int64_t latency;

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000L + time.tv_nsec;
}

static int64_t later(int64_t a, int64_t b) { return a > b ? a : b; }

static int open_port(int number) {
  int file = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (file < 0) fail("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  snprintf(request.ifr_name, sizeof request.ifr_name, "port%d", number);
  if (ioctl(file, TUNSETIFF, &request) != 0) fail(request.ifr_name);
  return file;
}

static void send_to(struct Port *port, const unsigned char *bytes, size_t size, int64_t sent) {
  if (port->queued > QUEUE) return;
  struct Frame *frame = malloc(sizeof *frame + size);
  if (!frame) fail("memory");
  int64_t duration = (int64_t)(nanoseconds_per_byte * (double)(size + OVERHEAD));
  port->receiving_until = later(sent + latency, port->receiving_until + duration);
  *frame = (struct Frame){.due = port->receiving_until, .size = size};
  memcpy(frame->bytes, bytes, size);
  if (port->last) port->last->next = frame;
  else port->first = frame;
  port->last = frame;
  port->queued += size;
}

static void take_from(struct Port *port) {
  static unsigned char bytes[LARGEST_FRAME];
  for (int i = 0; i < BATCH; i++) {
    ssize_t size = read(port->file, bytes, sizeof bytes);
    if (size < 14) return;
    int64_t duration = (int64_t)(nanoseconds_per_byte * (double)(size + OVERHEAD));
    int64_t sent = port->sending_until = later(now(), port->sending_until) + duration;
    bool is_broadcast = bytes[0] & 1;
    for (int other = 0; other < port_count; other++) {
      if (&ports[other] != port && (is_broadcast || bytes[5] == other)) {
        send_to(&ports[other], bytes, (size_t)size, sent);
      }
    }
  }
}

static void deliver_to(struct Port *port, int64_t time) {
  while (port->first && port->first->due <= time) {
    struct Frame *frame = port->first;
    // A device that is down takes nothing; the frame is lost, as on a link that is down.
    (void)!write(port->file, frame->bytes, frame->size);
    port->first = frame->next;
    if (!port->first) port->last = NULL;
    port->queued -= frame->size;
    free(frame);
  }
}

int main(int count, char **arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: switch PORTS MEGABITS MICROSECONDS\n");
    return EXIT_FAILURE;
  }
  port_count = atoi(arguments[1]);
  if (port_count < 2 || port_count > PORTS) fail("2 to 64 ports");
  nanoseconds_per_byte = 8e3 / atof(arguments[2]);
  latency = (int64_t)(1e3 * atof(arguments[3]));
  for (int number = 0; number < port_count; number++) ports[number].file = open_port(number);
  // It goes first when a frame is due, and wakes on time.
  const struct sched_param priority = {.sched_priority = 2};
  if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0) perror("SCHED_FIFO");
  prctl(PR_SET_TIMERSLACK, 1UL);
  printf("ready\n");
  fflush(stdout);

  struct pollfd files[PORTS];
  for (int number = 0; number < port_count; number++) {
    files[number] = (struct pollfd){.fd = ports[number].file, .events = POLLIN};
  }
  for (;;) {
    int64_t due = INT64_MAX;
    for (int number = 0; number < port_count; number++) {
      if (ports[number].first && ports[number].first->due < due) due = ports[number].first->due;
    }
    int64_t wait = due == INT64_MAX ? 1000000000 : later(0, due - now());
    struct timespec timeout = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
    if (ppoll(files, (nfds_t)port_count, &timeout, NULL) > 0) {
      for (int number = 0; number < port_count; number++) {
        if (files[number].revents & POLLIN) take_from(&ports[number]);
      }
    }
    int64_t time = now();
    for (int number = 0; number < port_count; number++) deliver_to(&ports[number], time);
  }
}
