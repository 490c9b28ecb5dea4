// Replays a trace of training (sltt-dist bench scaling --trace) on simulated ranks, with SimGrid's SMPI.
//
//   smpirun -np RANKS … replay TRACE RANKS ITERATIONS REPEATS SEED NOISE SLOW COMPUTE ADDITION
//
//   REPEATS   of collectives of an iteration that are alike, such as those of the chunks of the gradient,
//             only so many are simulated; the others take as long as the last of these. Where some are
//             posted, all are simulated
//   NOISE     1: every rank draws each iteration from the measured ones of all ranks
//             0: all ranks draw the same one
//   SLOW      by what the last rank's computing takes longer than the others': 1 for no difference
//   COMPUTE   by what all computing is multiplied
//   ADDITION  seconds in which a collective adds up a number, with all of its steps
//
// Prints the time of the start and that of each iteration's end, each on the last of the ranks; and for how
// long a rank computes in an iteration, as the mean of those drawn. The trace is read once, for all ranks
// are threads of this process (smpirun -no-privatize). Collectives really go through SMPI's algorithms, but
// no data are copied: SMPI is told that it replays.
//
// Where the trace has posts (distributed.overlap), a rank is two processes on one host, as it is two
// threads in truth: RANKS that compute, and as many that communicate.
#include <smpi/smpi.h>

#include <simgrid/s4u.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

namespace s4u = simgrid::s4u;

struct Action {
  std::string name;
  double amount = 0;  // seconds, or numbers
  double added = 0;  // numbers that are added up
  int type = 0;
  bool isPosted = false;

  bool isCollective() const { return type != 0; }
};

using Iteration = std::vector<Action>;

[[noreturn]] static void refuse(const std::string &message) {
  fprintf(stderr, "%s\n", message.c_str());
  exit(EXIT_FAILURE);
}

struct Trace {
  std::vector<Iteration> iterations;  // of all ranks
  double ranks = 0;  // that were traced
  bool isOverlapped = false;

  explicit Trace(const std::string &path) {
    std::ifstream file(path);
    if (!file) refuse(path + ": cannot be read");
    Iteration iteration;
    std::string line;
    for (int number = 1; std::getline(file, line); number++) {
      std::istringstream words(line);
      std::string rank;
      Action action;
      if (!(words >> rank >> action.name)) continue;
      if (rank == "#") {
        if (action.name != "iteration") continue;
        iterations.push_back(iteration);
        iteration.clear();
        continue;
      }
      action.isPosted = action.name == "post";
      if (action.isPosted) words >> action.name;
      isOverlapped |= action.isPosted;
      const auto &name = action.name;
      std::vector<double> numbers;
      for (double value; words >> value;) numbers.push_back(value);
      const auto count = numbers.size();
      if (name == "init") {
        ranks++;
        continue;
      } else if (name == "finalize") {
        iteration.clear();  // what follows the last iteration
        continue;
      } else if ((name == "compute" || name == "sleep") && count == 1) {
        action.amount = numbers[0] * (name == "compute" ? 1e-9 : 1);
      } else if (name == "allreduce" && count == 3) {
        action.amount = action.added = numbers[0];
        if (numbers[1] > 0) action.added = numbers[1];
      } else if ((name == "alltoall" || name == "allgather") && count == 4) {
        action.amount = numbers[0];
      } else if (name == "reducescatter" && count == ranksOfScatter(count) + 2) {
        action.amount = numbers[0];
        action.added = numbers[count - 2];
      } else if (name != "join" || count != 0) {
        refuse(path + ":" + std::to_string(number) + ": not known: " + line);
      }
      if (count >= 3) action.type = static_cast<int>(numbers.back());
      iteration.push_back(action);
    }
    if (iterations.empty()) refuse(path + ": no iteration ends in it (# iteration)");
    for (const auto &other : iterations) requireSameCollectives(iterations[0], other, path);
  }

 private:
  static size_t ranksOfScatter(size_t numbers) { return numbers < 3 ? 0 : numbers - 2; }

  // Ranks that draw different iterations must still meet in their collectives.
  static void requireSameCollectives(const Iteration &a, const Iteration &b, const std::string &path) {
    const auto collectives = [](const Iteration &iteration) {
      std::string names;
      for (const auto &action : iteration) {
        if (!action.isCollective()) continue;
        names += action.name + " " + std::to_string(static_cast<long>(action.amount)) + "\n";
      }
      return names;
    };
    if (collectives(a) != collectives(b)) refuse(path + ": iterations differ in their collectives");
  }
};

// What the computing process of a rank hands to its communicating one.
struct Queue {
  std::deque<const Action *> actions;
  s4u::SemaphorePtr posted = s4u::Semaphore::create(0), done = s4u::Semaphore::create(0);
};

struct Job {
  const Trace trace;
  const int ranks, iterations, repeats;
  const unsigned long seed;
  const bool hasNoise;
  const double slow, computing, addition;
  double start = 0;
  std::vector<double> ends;
  double busy = 0;  // seconds of all ranks, as if none were slow
  std::vector<Queue> queues;
  std::vector<char> data;  // of all ranks: nobody reads or writes them

  explicit Job(char **arguments)
      : trace(arguments[1]),
        ranks(atoi(arguments[2])),
        iterations(atoi(arguments[3])),
        repeats(atoi(arguments[4])),
        seed(strtoul(arguments[5], nullptr, 10)),
        hasNoise(atoi(arguments[6]) != 0),
        slow(atof(arguments[7])),
        computing(atof(arguments[8])),
        addition(atof(arguments[9])),
        ends(iterations),
        queues(trace.isOverlapped ? ranks : 0) {
    double most = 0;
    for (const auto &action : trace.iterations[0]) {
      if (action.isCollective()) most = std::max(most, action.amount);
    }
    data.resize(static_cast<size_t>(4 * (most + 1) * std::max<double>(ranks, trace.ranks)));
  }

  void compute(int rank, MPI_Comm communicator);
  void communicate(int rank, MPI_Comm communicator);

 private:
  // Of collectives of a rank that are alike.
  struct Done {
    int times = 0;
    double seconds = 0;  // of the last one that was simulated
  };

  void perform(const Action &action, MPI_Comm communicator);
  void perform(const Action &action, MPI_Comm communicator, Done &done);
};

void Job::perform(const Action &action, MPI_Comm communicator) {
  static const std::map<int, MPI_Datatype> types{{5, MPI_FLOAT}, {6, MPI_BYTE}, {22, MPI_UINT16_T}};
  const auto type = types.find(action.type);
  if (type == types.end()) refuse("datatype " + std::to_string(action.type) + " is not known");
  const MPI_Datatype kind = type->second;
  char *from = data.data(), *to = from;
  if (action.name == "allreduce") {
    MPI_Allreduce(from, to + 1, static_cast<int>(action.amount), kind, MPI_SUM, communicator);
  } else {
    // Ranks share out the same numbers, however many they are.
    const int part = static_cast<int>(std::ceil(action.amount * trace.ranks / ranks));
    if (action.name == "alltoall") {
      MPI_Alltoall(from, part, kind, to + 1, part, kind, communicator);
    } else if (action.name == "allgather") {
      MPI_Allgather(from, part, kind, to + 1, part, kind, communicator);
    } else {
      MPI_Reduce_scatter_block(from, to + 1, part, kind, MPI_SUM, communicator);
    }
  }
  if (action.added > 0) s4u::this_actor::execute(1e9 * action.added * addition);
}

void Job::perform(const Action &action, MPI_Comm communicator, Done &done) {
  if (done.times++ >= repeats) return s4u::this_actor::sleep_for(done.seconds);
  const double start = s4u::Engine::get_clock();
  perform(action, communicator);
  done.seconds = s4u::Engine::get_clock() - start;
}

void Job::compute(int rank, MPI_Comm communicator) {
  std::mt19937_64 random(1'000'003 * seed + (hasNoise ? rank : 0));
  const double factor = computing * (rank == ranks - 1 ? slow : 1);
  for (int number = 0; number < iterations; number++) {
    const auto &iteration = trace.iterations[random() % trace.iterations.size()];
    std::map<std::pair<std::string, double>, Done> done;
    int pending = 0;
    const auto join = [&] {
      for (; pending > 0; pending--) queues[rank].done->acquire();
    };
    for (const auto &action : iteration) {
      if (action.name == "compute") {
        busy += action.amount * computing;
        s4u::this_actor::execute(1e9 * action.amount * factor);
      } else if (action.name == "sleep") {
        // For samples: of a part of the batch as much less.
        busy += action.amount * computing;
        s4u::this_actor::sleep_for(action.amount * computing);
      } else if (action.name == "join") {
        join();
      } else if (trace.isOverlapped) {
        // Which of a rank's threads calls a collective is another matter on another rank: here it is always
        // the same one, so that all meet.
        queues[rank].actions.push_back(&action);
        queues[rank].posted->release();
        pending++;
        if (!action.isPosted) join();
      } else {
        perform(action, communicator, done[{action.name, action.amount}]);
      }
    }
    join();
    ends[number] = std::max(ends[number], s4u::Engine::get_clock());
  }
  if (!trace.isOverlapped) return;
  queues[rank].actions.push_back(nullptr);
  queues[rank].posted->release();
}

void Job::communicate(int rank, MPI_Comm communicator) {
  auto &queue = queues[rank];
  for (;;) {
    queue.posted->acquire();
    const Action *action = queue.actions.front();
    queue.actions.pop_front();
    if (!action) return;
    perform(*action, communicator);
    queue.done->release();
  }
}

// The communicator of so many processes from `first` on. (MPI_Comm_split takes minutes with thousands.)
static MPI_Comm half(int first, int count) {
  MPI_Group all, group;
  MPI_Comm_group(MPI_COMM_WORLD, &all);
  int range[1][3] = {{first, first + count - 1, 1}};
  MPI_Group_range_incl(all, 1, range, &group);
  MPI_Comm communicator;
  MPI_Comm_create(MPI_COMM_WORLD, group, &communicator);
  return communicator;
}

int main(int count, char **arguments) {
  if (count != 10) refuse("TRACE RANKS ITERATIONS REPEATS SEED NOISE SLOW COMPUTE ADDITION are expected");
  MPI_Init(&count, &arguments);
  static Job job(arguments);
  int process;
  MPI_Comm_rank(MPI_COMM_WORLD, &process);
  const int rank = process % job.ranks;
  const bool computes = process < job.ranks;
  MPI_Comm communicator = MPI_COMM_WORLD;
  if (job.trace.isOverlapped) communicator = half(process - rank, job.ranks);
  // From here on, collectives copy nothing.
  smpi_replay_init("", process, 0);
  MPI_Barrier(MPI_COMM_WORLD);
  job.start = std::max(job.start, s4u::Engine::get_clock());
  if (computes) {
    job.compute(rank, communicator);
  } else {
    job.communicate(rank, communicator);
  }
  MPI_Barrier(MPI_COMM_WORLD);
  if (process == 0) {
    printf("%.9f\n", job.start);
    for (double end : job.ends) printf("%.9f\n", end);
    printf("%.9f\n", job.busy / job.ranks / job.iterations);
  }
  MPI_Finalize();
  return EXIT_SUCCESS;
}
