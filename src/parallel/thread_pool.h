// Works on the blocks of a job with several threads, the calling one included.
//
// Claiming  One word of memory holds the number of the job and the range of blocks that nobody has claimed. A
//           thread that swaps it for a shorter range owns the difference: at most 1 / (2 * threads) of what is
//           left, so that all threads end together and few swaps are needed. A worker that comes late, or not at
//           all, costs nothing: the caller then takes all blocks itself.
// Waking    A worker looks for jobs for some 40 us after its last one, then sleeps; for up to 1 ms where jobs come
//           soon after. Waking it takes the caller and the worker 50 to 100 us each, so only jobs of more than
//           that wake sleepers; smaller ones are shared with workers that are awake. A row of small jobs wakes a
//           worker ahead of those to come, the less often the less use it was.
// Balance   On a busy machine a shared job can take longer than one alone: a woken worker takes the caller's
//           processor, or one that holds a range loses its own. So the pool keeps accounts: what shapes take
//           alone, and what sharing has won or lost. While it is behind it works alone, until the loss is a
//           twentieth of the time that has passed since.
// Losing    A worker may be ended from outside in the middle of a range. Its outputs are then written once more
//   workers from the inputs. Where the outputs *are* the inputs, a worker copies its range before it overwrites
//           it, and the caller restores it from the copy. `Host::gone` says when no worker can write any more;
//           the pool has one thread from then on.
// Bits      Which thread takes which blocks changes from call to call. Kernels give the same bits for every
//           range.
#pragma once

#include <cstddef>

#include "parallel/partition.h"

#if defined(LAYERNORM_THREADS)
#include <pthread.h>

#include <atomic>
#include <cstdint>

#include "parallel/futex.h"
#endif

namespace layernorm {

#if defined(LAYERNORM_THREADS)

inline constexpr bool kHasThreads = true;

// A job as the pool sees it.
struct Job {
  Partition partition;
  const void* context;
  // Works on the items first .. last.
  void (*work)(const void* context, std::size_t first, std::size_t last);
  // Where items are overwritten: what one item takes when it is copied, and what copies it (back, with
  // `restore`). 0 where the inputs survive.
  std::size_t save_bytes = 0;
  void (*save)(const void* context, std::size_t first, std::size_t last, std::byte* saved,
               bool restore) = nullptr;

  void run_alone() const { work(context, 0, partition.items); }
};

// What only the surroundings know of the threads.
struct Host {
  // Whether the calling thread may sleep; the main thread of a browser may not.
  bool may_sleep = true;
  // Asked now and then by a caller that waits for a worker: whether no worker runs any more. May end them for
  // that. `idle` is how long no block has become ready, `expected` how long that may well be, in milliseconds.
  // Null: they run for ever.
  bool (*gone)(double idle, double expected) = nullptr;
};

class ThreadPool {
 public:
  static constexpr unsigned kMaxThreads = 32;
  // What a worker can copy, on its stack: one block, or as many as stay in its cache.
  static constexpr std::size_t kSavedBytes = 1024 * 1024;
  static constexpr std::size_t kCachedBytes = 256 * 1024;

  constexpr ThreadPool() = default;
  ThreadPool(const ThreadPool&) = delete;

  // Uses `threads` threads from now on, the calling one included, and starts those that are missing. Returns how
  // many there are, fewer when the system gives no more. Not during a call.
  unsigned start(unsigned threads, Host host);
  // How many workers have come to wait for jobs.
  unsigned ready() const { return ready_.load(); }
  // Threads that work on a job: 1 before start, and when workers were lost.
  unsigned threads() const { return lost_.load() ? 1 : threads_.load(); }
  // From now on the calling thread works alone, since workers have ended. Not during a call.
  void give_up() { lost_.store(true); }
  // Ends all workers and waits for that: for tests.
  void stop();

  // Works on all blocks, then returns. A call while another is running works alone.
  void run(const Job& job);

 private:
  // What several threads write lies in cache lines of its own.
  static constexpr std::size_t kLine = 64;

  struct alignas(kLine) Worker {
    ThreadPool* pool = nullptr;
    pthread_t thread{};
    unsigned number = 0;                     // from 1 on; 0 is the caller
    std::byte* saved = nullptr;              // kSavedBytes
    std::atomic<std::size_t> saved_from{0};  // the first block that lies there
  };
  // A block is open, copied by the worker of that number, or done.
  static constexpr std::uint8_t kOpen = 0, kDone = 0xff;

  static void* main(void* worker);
  void serve(Worker& worker);
  // What a shape takes alone, in ns; 0 when that is not known.
  struct Known {
    void (*work)(const void*, std::size_t, std::size_t) = nullptr;
    std::size_t items = 0;
    std::size_t item_elements = 0;
    std::int64_t alone = 0;
    unsigned shared_runs = 0;
    unsigned review = 0;  // runs alone that are to come

    void learn(std::int64_t time);
  };

  Known& known(const Job& job);
  bool shares(const Job& job, Known& shape);
  void share(const Job& job);
  bool claim(bool from_front, std::size_t& first, std::size_t& last);
  void work(const Job& job, Worker* worker, std::size_t first, std::size_t last);
  bool join(const Job& job);
  void redo_unfinished(const Job& job);
  void wake();

  Worker workers_[kMaxThreads - 1];
  Host host_;
  unsigned started_ = 0;  // workers
  std::atomic<unsigned> threads_{1};
  std::atomic<unsigned> ready_{0};
  std::atomic<bool> running_{false};
  std::atomic<bool> lost_{false};
  std::atomic<bool> stopping_{false};
  unsigned small_jobs_ = 0;
  unsigned asleep_jobs_ = 0;
  unsigned patience_ = 0;
  Known known_[16];
  unsigned next_known_ = 0;
  std::int64_t balance_ = 0;  // ns won (at most kForgiven) or lost

  // number of the job : 32, first block that nobody has claimed : 16, the one after the last : 16
  alignas(kLine) std::atomic<std::uint64_t> claim_{0};
  std::atomic<const Job*> job_{nullptr};
  std::atomic<std::size_t> longest_range_{0};
  alignas(kLine) std::atomic<unsigned> awake_{0};
  Futex bell_{0};
  alignas(kLine) Futex done_{0};
  std::atomic<bool> caller_sleeps_{false};
  alignas(kLine) std::atomic<std::uint8_t> state_[kMaxBlocks]{};
};

// The pool that operations run on.
extern constinit ThreadPool thread_pool;

#else

inline constexpr bool kHasThreads = false;

#endif

// Calls work(first, last) for ranges that cover all items, on the pool. For work that overwrites its inputs:
// save(first, last, saved, restore) copies items to `saved`, or back, `save_bytes` for each; with 0 it is not called.
template <class Work, class Save>
void for_each_range(const Partition& partition, const Work& work, [[maybe_unused]] std::size_t save_bytes,
                    [[maybe_unused]] const Save& save) {
#if defined(LAYERNORM_THREADS)
  struct Both {
    const Work& work;
    const Save& save;
  };
  const Both both{work, save};
  thread_pool.run(
      {.partition = partition,
       .context = &both,
       .work = [](const void* context, std::size_t first,
                  std::size_t last) { static_cast<const Both*>(context)->work(first, last); },
       .save_bytes = save_bytes,
       .save = [](const void* context, std::size_t first, std::size_t last, std::byte* saved,
                  bool restore) { static_cast<const Both*>(context)->save(first, last, saved, restore); }});
#else
  work(0, partition.items);
#endif
}

}  // namespace layernorm
