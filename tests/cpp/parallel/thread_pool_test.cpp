// Tier: bitwise. Under ThreadSanitizer with threads; without threads only that all items are worked on.
#include "parallel/thread_pool.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "ops/layer_norm.h"
#include "support/random.h"

#if defined(LAYERNORM_THREADS)
#include <chrono>
#include <memory>
#include <thread>
#endif

namespace layernorm {
namespace {

TEST(ForEachRange, CoversAllItems) {
  for (const std::size_t items : {0u, 1u, 5u, 3000u}) {
    std::vector<int> visits(items);
    const auto work = [&](std::size_t first, std::size_t last) {
      for (std::size_t n = first; n < last; ++n) ++visits[n];
    };
    for_each_range(Partition::of(items, 1000), work, 0, [](std::size_t, std::size_t, std::byte*, bool) {});
    EXPECT_EQ(visits, std::vector<int>(items, 1));
  }
}

#if defined(LAYERNORM_THREADS)

constexpr unsigned kThreads[] = {1, 2, 3, 4, 8};

void wait_until_ready(const ThreadPool& pool, unsigned workers) {
  while (pool.ready() < workers) std::this_thread::yield();
}

// x[n] += 1 in place for every item: an item that is worked on twice, or restored too late, shows.
struct Increment {
  std::vector<double> x;
  std::size_t elements;

  Increment(std::size_t items, std::size_t elements_per_item)
      : x(items * elements_per_item), elements(elements_per_item) {}

  void work(std::size_t first, std::size_t last) {
    for (std::size_t n = first * elements; n < last * elements; ++n) x[n] += 1;
  }
  Job job(void (*work_on)(const void*, std::size_t, std::size_t)) {
    return {
        .partition = Partition::of(x.size() / elements, elements),
        .context = this,
        .work = work_on,
        .save_bytes = elements * sizeof(double),
        .save = [](const void* self, std::size_t first, std::size_t last, std::byte* saved, bool restore) {
          auto& that = *const_cast<Increment*>(static_cast<const Increment*>(self));
          double* data = that.x.data() + first * that.elements;
          const std::size_t bytes = (last - first) * that.elements * sizeof(double);
          if (restore) {
            std::memcpy(data, saved, bytes);
          } else {
            std::memcpy(saved, data, bytes);
          }
        }};
  }
};

TEST(ThreadPool, WorksOnEveryItemOnceForAnyNumberOfThreads) {
  auto pool = std::make_unique<ThreadPool>();
  for (const unsigned threads : kThreads) {
    ASSERT_EQ(pool->start(threads, {}), threads);
    EXPECT_EQ(pool->threads(), threads);
    wait_until_ready(*pool, threads - 1);
    for (const std::size_t items : {4u, 100u, 700u, 5000u}) {
      Increment data(items, 1024);
      const Job job = data.job([](const void* self, std::size_t first, std::size_t last) {
        const_cast<Increment*>(static_cast<const Increment*>(self))->work(first, last);
      });
      const int calls = items < 1000 ? 60 : 10;
      for (int n = 0; n < calls; ++n) pool->run(job);
      EXPECT_EQ(data.x, std::vector<double>(data.x.size(), calls))
          << items << " items, " << threads << " threads";
    }
  }
  pool->stop();
  EXPECT_EQ(pool->threads(), 1u);
}

TEST(ThreadPool, NumberOfThreadsCanBeChangedBothWays) {
  auto pool = std::make_unique<ThreadPool>();
  for (const unsigned threads : {2u, 4u, 1u, 3u, 1u}) {
    EXPECT_EQ(pool->start(threads, {}), threads);
    EXPECT_EQ(pool->threads(), threads);
  }
  EXPECT_EQ(pool->start(ThreadPool::kMaxThreads + 1, {}), ThreadPool::kMaxThreads);
  wait_until_ready(*pool, ThreadPool::kMaxThreads - 1);
  pool->stop();
}

TEST(ThreadPool, CallsFromSeveralThreadsDoNotMeet) {
  auto pool = std::make_unique<ThreadPool>();
  pool->start(3, {});
  const auto call = [&] {
    Increment data(64, 1024);
    const Job job = data.job([](const void* self, std::size_t first, std::size_t last) {
      const_cast<Increment*>(static_cast<const Increment*>(self))->work(first, last);
    });
    for (int n = 0; n < 200; ++n) pool->run(job);
    EXPECT_EQ(data.x, std::vector<double>(data.x.size(), 200));
  };
  std::thread one(call), other(call);
  one.join();
  other.join();
  pool->stop();
}

// ---- Workers that never come back ----

struct Deadly : Increment {
  using Increment::Increment;
  std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> entered{false};
  std::atomic<bool> released{false};

  static void work_on(const void* self, std::size_t first, std::size_t last) {
    auto& that = *const_cast<Deadly*>(static_cast<const Deadly*>(self));
    if (std::this_thread::get_id() == that.caller) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));  // leaves some for the worker
      return that.work(first, last);
    }
    // Half of the first item is overwritten when the worker "ends": it does nothing from then on.
    for (std::size_t n = 0; n < that.elements / 2; ++n) that.x[first * that.elements + n] += 1;
    that.entered.store(true);
    while (!that.released.load()) std::this_thread::yield();
  }
};

// As if all workers were gone as soon as one has entered a block and does not leave it.
const Deadly* deadly = nullptr;
bool gone(double idle, double) { return idle >= 10 && deadly->entered.load(); }

TEST(ThreadPool, ABlockThatAWorkerLeavesUnfinishedIsDoneByTheCaller) {
  auto pool = std::make_unique<ThreadPool>();
  ASSERT_EQ(pool->start(2, {.gone = gone}), 2u);
  wait_until_ready(*pool, 1);
  Deadly data(40, 1024);
  deadly = &data;
  const Job job = data.job(Deadly::work_on);
  int calls = 0;
  while (!data.entered.load() && calls < 2000) {
    pool->run(job);
    ++calls;
  }
  ASSERT_TRUE(data.entered.load());
  EXPECT_EQ(data.x, std::vector<double>(data.x.size(), calls)) << "every element once a call, in place";
  EXPECT_EQ(pool->threads(), 1u);
  pool->run(job);
  EXPECT_EQ(data.x, std::vector<double>(data.x.size(), calls + 1));
  data.released.store(true);
  pool->stop();
}

TEST(ThreadPool, AfterGivingUpTheCallerWorksAlone) {
  auto pool = std::make_unique<ThreadPool>();
  pool->start(2, {});
  wait_until_ready(*pool, 1);
  pool->give_up();
  EXPECT_EQ(pool->threads(), 1u);
  Deadly data(40, 1024);
  pool->run(data.job(Deadly::work_on));
  EXPECT_FALSE(data.entered.load());
  EXPECT_EQ(data.x, std::vector<double>(data.x.size(), 1));
  pool->stop();
}

// ---- Operations on the pool that they share ----

TEST(ThreadPool, LayerNormGivesTheSameBitsForAnyNumberOfThreads) {
  struct Shape {
    std::vector<std::uint32_t> dims;
    std::uint32_t axes;
  };
  const std::vector<Shape> shapes = {{{8, 256}, 2},        {{301, 130}, 2},  {{40, 1024}, 2},
                                     {{3, 2, 70, 200}, 4}, {{130, 1000}, 1}, {{5, 3, 40, 90}, 10}};
  for (const Shape& shape : shapes) {
    std::size_t size = 1, cols = 1;
    for (std::size_t n = 0; n < shape.dims.size(); ++n) {
      size *= shape.dims[n];
      if (shape.axes >> n & 1) cols *= shape.dims[n];
    }
    test::Random random(7);
    std::vector<float> x(size), gamma(cols), expected, expected_rstd;
    for (float& value : x) value = static_cast<float>(random.normal());
    for (float& value : gamma) value = static_cast<float>(random.uniform());
    for (const bool in_place : {false, true}) {
      for (const unsigned threads : kThreads) {
        thread_pool.start(threads, {});
        wait_until_ready(thread_pool, threads - 1);
        for (int call = 0; call < 20; ++call) {
          std::vector<float> y = in_place ? x : std::vector<float>(size), rstd(size / cols);
          LayerNormForward args;
          args.dims = shape.dims;
          args.axes = shape.axes;
          args.x = in_place ? y.data() : x.data();
          args.gamma = gamma.data();
          args.y = y.data();
          args.rstd = rstd.data();
          ASSERT_EQ(layer_norm_forward(args), Status::ok);
          if (expected.empty()) expected = y, expected_rstd = rstd;
          ASSERT_EQ(std::memcmp(y.data(), expected.data(), size * sizeof(float)), 0) << threads << " threads";
          ASSERT_EQ(rstd, expected_rstd);
        }
      }
    }
    thread_pool.stop();
  }
}

TEST(ThreadPool, TheGradientHasTheSameBitsForAnyNumberOfThreads) {
  struct Shape {
    std::vector<std::uint32_t> dims;
    std::uint32_t axes;
  };
  // Rows, columns and what is neither; more chunks of 64 groups than are worked on at a time; a last one that is not full.
  const std::vector<Shape> shapes = {{{300, 130}, 2}, {{70, 1100}, 1}, {{4, 60, 7, 9}, 10}, {{200, 9000}, 2}};
  for (const Shape& shape : shapes) {
    std::size_t size = 1, cols = 1;
    for (std::size_t n = 0; n < shape.dims.size(); ++n) {
      size *= shape.dims[n];
      if (shape.axes >> n & 1) cols *= shape.dims[n];
    }
    test::Random random(11);
    const auto normals = [&](std::size_t count) {
      std::vector<float> values(count);
      for (float& value : values) value = static_cast<float>(random.normal());
      return values;
    };
    const std::vector<float> x = normals(size), dy = normals(size), gamma = normals(cols);
    const std::vector<float> mean = normals(size / cols), rstd = normals(size / cols);
    std::vector<double> workspace(
        layer_norm_backward_workspace(DType::float32, shape.dims, shape.axes) / sizeof(double) + 1);
    std::vector<float> expected;
    for (const bool in_place : {false, true}) {
      for (const unsigned threads : kThreads) {
        thread_pool.start(threads, {});
        wait_until_ready(thread_pool, threads - 1);
        for (int call = 0; call < 8; ++call) {
          // dx, dgamma and dbeta behind each other
          std::vector<float> results = dy;
          results.resize(size + 2 * cols);
          LayerNormBackward args;
          args.dims = shape.dims;
          args.axes = shape.axes;
          args.dy = in_place ? results.data() : dy.data();
          args.x = x.data();
          args.mean = mean.data();
          args.rstd = rstd.data();
          args.gamma = gamma.data();
          args.dx = results.data();
          args.dgamma = results.data() + size;
          args.dbeta = results.data() + size + cols;
          args.workspace = workspace.data();
          args.workspace_bytes = workspace.size() * sizeof(double);
          ASSERT_EQ(layer_norm_backward(args), Status::ok);
          if (expected.empty()) expected = results;
          ASSERT_EQ(std::memcmp(results.data(), expected.data(), results.size() * sizeof(float)), 0)
              << threads << " threads";
        }
      }
    }
    thread_pool.stop();
  }
}

#endif

}  // namespace
}  // namespace layernorm
