#include "parallel/thread_pool.h"

#if defined(LAYERNORM_THREADS)

#include <chrono>
#include <iterator>

namespace layernorm {
namespace {

// Elements are a measure of work: about 0.3 ns each.

// From this many on a job is shared with workers that are awake: 2 threads then beat 1. Smaller ones do not even ask.
constexpr std::size_t kWorthSharing = 8 * 1024;
// From this many on it is worth to wake them: 150 us.
constexpr std::size_t kWorthWaking = 512 * 1024;
// Small jobs in a row after which a worker is woken for the next; doubled each time.
constexpr unsigned kFirstPatience = 32, kLastPatience = 32 * 1024;

// Looks at memory before a thread goes to sleep: about 40 us; for a worker that would have found a job soon after,
// up to 1 ms.
constexpr unsigned kSpins = 20000, kMostSpins = 512 * 1024;
// What "soon" is. A worker that spins its longest and still sleeps keeps to the shortest for so many sleeps.
constexpr std::int64_t kSoon = 1000000;
constexpr unsigned kDisappointed = 100;

constexpr std::int64_t kMillisecond = 1000000;
// Jobs from this many elements on are timed, 5 us; of smaller ones each kSample-th: the clock costs 0.1 us.
constexpr std::size_t kWorthTiming = 16 * 1024;
constexpr unsigned kSample = 8;
// The share of time that sharing in vain may take: one part in this many.
constexpr std::int64_t kLossFactor = 20;
// As much may be lost at once, a time slice of the system, without working alone for it.
constexpr std::int64_t kForgiven = 4 * kMillisecond;
// What has to be at hand before a worker is woken for small jobs, which can win it back only afterwards.
constexpr std::int64_t kReserve = kMillisecond / 4;
// After so many shared runs of a shape two are done alone, to see what that takes; earlier after a start. The second
// counts: the first brings the data back into the caller's caches.
constexpr unsigned kReviewEvery = 512, kReviewRuns = 2;
// What an element takes at most, in ns: ten times as long as usual.
constexpr double kSlowestElement = 4;

constexpr std::uint64_t kFrontUnit = 1u << 16;

std::int64_t now() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

double milliseconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-6; }

}  // namespace

constinit ThreadPool thread_pool;

unsigned ThreadPool::start(unsigned wanted, Host host) {
  host_ = host;
  if (wanted < 1) wanted = 1;
  if (wanted > kMaxThreads) wanted = kMaxThreads;
  patience_ = kFirstPatience;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return threads();
  pthread_attr_setstacksize(&attributes, kSavedBytes + kStackBytes);
  while (started_ + 1 < wanted) {
    Worker& worker = workers_[started_];
    worker.pool = this;
    worker.number = started_ + 1;
    if (pthread_create(&worker.thread, &attributes, main, &worker) != 0) break;
    ++started_;
  }
  pthread_attr_destroy(&attributes);
  threads_.store(started_ + 1 < wanted ? started_ + 1 : wanted);
  return threads();
}

void ThreadPool::stop() {
  stopping_.store(true);
  wake();
  for (unsigned n = 0; n < started_; ++n) pthread_join(workers_[n].thread, nullptr);
  stopping_.store(false);
  lost_.store(false);
  ready_.store(0);
  started_ = 0;
  threads_.store(1);
  balance_ = 0;
}

// ---- Workers ----

void* ThreadPool::main(void* argument) {
  Worker& worker = *static_cast<Worker*>(argument);
  alignas(kLine) std::byte saved[kSavedBytes];
  worker.saved = saved;
  worker.pool->serve(worker);
  return nullptr;
}

void ThreadPool::serve(Worker& worker) {
  awake_.fetch_add(1);
  ready_.fetch_add(1);
  unsigned spins = 0, most_spins = kSpins, disappointed = 0;
  while (!stopping_.load(std::memory_order_relaxed) && !lost_.load(std::memory_order_relaxed)) {
    const bool wanted = worker.number < threads_.load(std::memory_order_relaxed);
    std::size_t first, last;
    if (wanted && claim(false, first, last)) {
      // What was claimed has to be worked on before the job can end, so it is still there.
      work(*job_.load(std::memory_order_relaxed), &worker, first, last);
      spins = 0;
    } else if (wanted && ++spins < most_spins) {
      spin_once();
    } else {
      const std::uint32_t seen = bell_.load();
      const std::int64_t start = now();
      awake_.fetch_sub(1);
      if (!stopping_.load()) futex_wait(bell_, seen, -1);
      awake_.fetch_add(1);
      spins = 0;
      if (disappointed > 0) {
        --disappointed;
      } else if (now() - start > kSoon) {
        if (most_spins > kSpins) most_spins /= 2;
      } else if (most_spins < kMostSpins) {
        most_spins *= 2;
      } else {
        most_spins = kSpins;
        disappointed = kDisappointed;
      }
    }
  }
  awake_.fetch_sub(1);
}

// The caller takes from the front, workers from the back: calls on the same data then find it in the same caches.
bool ThreadPool::claim(bool from_front, std::size_t& first, std::size_t& last) {
  std::uint64_t word = claim_.load(std::memory_order_acquire);
  for (;;) {
    const std::size_t front = word >> 16 & 0xffff, back = word & 0xffff;
    if (front >= back) return false;
    // Belongs to the job of `word`, or else the swap fails.
    const std::size_t longest = longest_range_.load(std::memory_order_relaxed);
    std::size_t count = (back - front) / (2 * threads_.load(std::memory_order_relaxed));
    if (count > longest) count = longest;
    if (count < 1) count = 1;
    const std::uint64_t rest = from_front ? word + count * kFrontUnit : word - count;
    if (claim_.compare_exchange_weak(word, rest, std::memory_order_acq_rel, std::memory_order_acquire)) {
      first = from_front ? front : back - count;
      last = first + count;
      return true;
    }
  }
}

void ThreadPool::work(const Job& job, Worker* worker, std::size_t first, std::size_t last) {
  const std::size_t first_item = job.partition.first_item(first), last_item = job.partition.first_item(last);
  if (worker != nullptr && job.save_bytes > 0) {
    job.save(job.context, first_item, last_item, worker->saved, false);
    worker->saved_from.store(first);
    for (std::size_t n = first; n < last; ++n) state_[n].store(static_cast<std::uint8_t>(worker->number));
  }
  job.work(job.context, first_item, last_item);
  for (std::size_t n = first; n < last; ++n) state_[n].store(kDone, std::memory_order_relaxed);
  done_.fetch_add(static_cast<std::uint32_t>(last - first));
  if (worker != nullptr && caller_sleeps_.load()) futex_wake_all(done_);
}

// ---- The caller ----

void ThreadPool::run(const Job& job) {
  const std::size_t elements = job.partition.items * job.partition.item_elements;
  if (threads_.load(std::memory_order_relaxed) == 1 || elements < kWorthSharing ||
      job.partition.blocks() < 2 || job.save_bytes > kSavedBytes / job.partition.block_items ||
      lost_.load(std::memory_order_relaxed) || running_.exchange(true, std::memory_order_acquire)) {
    return job.run_alone();
  }
  Known& shape = known(job);
  const bool is_large = elements >= kWorthTiming;
  const bool is_timed = is_large || shape.review > 0 || ++small_jobs_ % kSample == 0;
  const std::int64_t start = is_timed ? now() : 0;
  const bool is_shared = shares(job, shape);
  if (is_shared) {
    share(job);
  } else {
    job.run_alone();
  }
  if (is_timed) {
    const std::int64_t time = now() - start, weight = is_large ? 1 : kSample;
    if (is_shared) {
      balance_ += weight * (shape.alone - time);
      if (balance_ > kForgiven) balance_ = kForgiven;
    } else {
      if (shape.review > 0) --shape.review;
      if (shape.review == 0) shape.learn(time);
      if (balance_ < kReserve) balance_ += weight * time / kLossFactor;
    }
  }
  running_.store(false, std::memory_order_release);
}

// Quick to believe that it takes less, slow to believe that it takes more: other programs only ever add to it.
void ThreadPool::Known::learn(std::int64_t time) {
  if (alone == 0 || time < alone) {
    alone = time;
  } else {
    alone += ((time < 2 * alone ? time : 2 * alone) - alone) / 8;
  }
}

ThreadPool::Known& ThreadPool::known(const Job& job) {
  const auto [items, item_elements, block_items] = job.partition;
  for (Known& shape : known_) {
    if (shape.work == job.work && shape.items == items && shape.item_elements == item_elements) return shape;
  }
  Known& shape = known_[next_known_++ % std::size(known_)];
  shape = {.work = job.work, .items = items, .item_elements = item_elements, .review = kReviewRuns};
  return shape;
}

bool ThreadPool::shares(const Job& job, Known& shape) {
  if (balance_ < 0 || shape.review > 0) return false;
  const unsigned awake = awake_.load();
  if (job.partition.items * job.partition.item_elements >= kWorthWaking) {
    if (awake + 1 < threads_.load(std::memory_order_relaxed)) wake();
  } else if (awake > 0) {
    patience_ = kFirstPatience;
  } else {
    if (++asleep_jobs_ >= patience_ && balance_ >= kReserve) {
      asleep_jobs_ = 0;
      if (patience_ < kLastPatience) patience_ *= 2;
      const std::int64_t start = now();
      wake();
      balance_ -= now() - start;  // most such jobs are not timed
    }
    return false;
  }
  const unsigned runs = ++shape.shared_runs;
  const bool starts = runs < kReviewEvery && (runs & (runs - 1)) == 0;  // 1, 2, 4, 8, ...
  if (starts || runs % kReviewEvery == 0) shape.review = kReviewRuns;
  return true;
}

void ThreadPool::wake() {
  bell_.fetch_add(1);
  futex_wake_all(bell_);
}

void ThreadPool::share(const Job& job) {
  const std::size_t blocks = job.partition.blocks();
  const std::size_t block_bytes = job.save_bytes * job.partition.block_items;
  for (std::size_t n = 0; n < blocks; ++n) state_[n].store(kOpen, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  job_.store(&job, std::memory_order_relaxed);
  longest_range_.store(block_bytes == 0 ? kMaxBlocks : kCachedBytes / block_bytes, std::memory_order_relaxed);
  const std::uint64_t number = (claim_.load(std::memory_order_relaxed) >> 32) + 1;
  claim_.store(number << 32 | blocks);

  std::size_t first, last;
  while (claim(true, first, last)) work(job, nullptr, first, last);
  if (join(job)) return;
  lost_.store(true);
  redo_unfinished(job);
}

// Waits until all blocks are done; false when some never will be.
bool ThreadPool::join(const Job& job) {
  const auto blocks = static_cast<std::uint32_t>(job.partition.blocks());
  for (unsigned spins = 0; spins < kSpins; ++spins) {
    if (done_.load(std::memory_order_acquire) == blocks) return true;
    spin_once();
  }
  const auto elements =
      static_cast<double>(job.partition.items) * static_cast<double>(job.partition.item_elements);
  std::int64_t time = now(), progress = time;
  bool lost = false;
  caller_sleeps_.store(true);
  std::uint32_t seen = done_.load();
  for (std::uint32_t done = seen; !lost && done != blocks; done = done_.load()) {
    if (done != seen) progress = time;
    seen = done;
    if (host_.may_sleep) {
      futex_wait(done_, done, kMillisecond);
    } else {
      for (unsigned spins = 0; spins < kSpins && done_.load() == done; ++spins) spin_once();
    }
    time = now();
    if (host_.gone != nullptr && time - progress > 10 * kMillisecond && done_.load() == done) {
      lost = host_.gone(milliseconds(time - progress), elements * kSlowestElement * 1e-6);
    }
  }
  caller_sleeps_.store(false);
  return !lost;
}

void ThreadPool::redo_unfinished(const Job& job) {
  const Partition& partition = job.partition;
  for (std::size_t n = 0; n < partition.blocks(); ++n) {
    const std::uint8_t state = state_[n].load();
    if (state == kDone) continue;
    const std::size_t first = partition.first_item(n), last = partition.first_item(n + 1);
    if (state != kOpen) {
      const Worker& worker = workers_[state - 1];
      const std::size_t items_before = (n - worker.saved_from.load()) * partition.block_items;
      job.save(job.context, first, last, worker.saved + items_before * job.save_bytes, true);
    }
    job.work(job.context, first, last);
  }
}

}  // namespace layernorm

#endif
