// Stands in for what Emscripten's threads can do beyond what ours do: calls that one thread has another one make, which
// take queues, mailboxes and condition variables, and printing. Workers compute; they call nothing of JavaScript.
#include <pthread.h>

extern "C" {

// Calls on other threads.
void* emscripten_proxy_get_system_queue() { return nullptr; }
void emscripten_proxy_execute_queue(void*) {}
double _emscripten_run_on_main_thread_js(int, void*, int, double*, int) { return 0; }
void _emscripten_thread_mailbox_init(pthread_t) {}
void _emscripten_thread_mailbox_shutdown(pthread_t) {}
void _emscripten_check_mailbox() {}

// What a thread that waits does in the meantime.
void _emscripten_yield(double) {}
void _emscripten_thread_crashed() {}

// The allocator says what goes wrong, in builds that are made to.
int printf(const char*, ...) { return 0; }
int iprintf(const char*, ...) { return 0; }

}  // extern "C"
