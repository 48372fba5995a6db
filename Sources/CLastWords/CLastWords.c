#include "CLastWords.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { slot_count = 512, path_length = 240 };

struct map {
  // The base is written last and cleared first, so that the handler never sees half a slot.
  _Atomic(uintptr_t) base;
  size_t length;
  char path[path_length];
  atomic_flag taken;
};

static struct map maps[slot_count];

static void say(const char *text) {
  size_t left = strlen(text);
  while (left > 0) {
    ssize_t count = write(2, text, left);
    if (count <= 0) return;
    text += count;
    left -= (size_t)count;
  }
}

static void begin_line(void) {
  if (isatty(2)) say("\r\033[K");
  say("headlamp: ");
}

static void explain_lost_map(int number, siginfo_t *info, void *context) {
  (void)context;
  uintptr_t address = (uintptr_t)info->si_addr;
  for (int slot = 0; slot < slot_count; slot++) {
    uintptr_t base = atomic_load(&maps[slot].base);
    if (base == 0 || address < base || address - base >= maps[slot].length) continue;
    begin_line();
    say(maps[slot].path);
    say(" became shorter while it was read, or its disk failed; files in use must be left as they are\n");
    _exit(1);
  }
  signal(number, SIG_DFL);
  raise(number);
}

void last_words_explain_lost_maps(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = explain_lost_map;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGBUS, &action, NULL);
}

int last_words_note_map(const void *base, size_t length, const char *path) {
  for (int slot = 0; slot < slot_count; slot++) {
    if (atomic_flag_test_and_set(&maps[slot].taken)) continue;
    maps[slot].length = length;
    size_t count = strlen(path);
    if (count < path_length) {
      memcpy(maps[slot].path, path, count + 1);
    } else {
      // The end of a path says more than its beginning.
      memcpy(maps[slot].path, "...", 3);
      memcpy(maps[slot].path + 3, path + count - (path_length - 4), path_length - 3);
    }
    atomic_store(&maps[slot].base, (uintptr_t)base);
    return slot;
  }
  return -1;
}

void last_words_forget_map(int slot) {
  if (slot < 0 || slot >= slot_count) return;
  atomic_store(&maps[slot].base, 0);
  atomic_flag_clear(&maps[slot].taken);
}

// One line, whichever thread comes first; the others wait for the end.
static void once(void) {
  static atomic_flag said = ATOMIC_FLAG_INIT;
  if (!atomic_flag_test_and_set(&said)) return;
  for (;;) pause();
}

void last_words_out_of_memory(size_t bytes) {
  once();
  begin_line();
  say("memory ran out");
  if (bytes > 0) {
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    int unit = 0;
    size_t whole = bytes, tenth = 0;
    while (whole >= 1024 && unit < 6) {
      tenth = whole % 1024 * 10 / 1024;
      whole /= 1024;
      unit += 1;
    }
    char digits[32];
    int place = sizeof digits;
    digits[--place] = 0;
    if (unit > 0 && whole < 100) {
      digits[--place] = (char)('0' + tenth);
      digits[--place] = '.';
    }
    do {
      digits[--place] = (char)('0' + whole % 10);
      whole /= 10;
    } while (whole > 0);
    say(": ");
    say(digits + place);
    say(" ");
    say(units[unit]);
    say(" more were needed");
  }
  say("; a smaller input needs less, and '--limit memory=SIZE' lets more be used\n");
  _exit(1);
}

void last_words_no_threads(void) {
  once();
  begin_line();
  say("the system starts no more threads; there is too little memory, or a limit on processes\n");
  _exit(1);
}

int last_words_is_sanitized(void) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return 1;
#endif
#endif
  return 0;
}

static atomic_long failing = 0;
static size_t failing_size = 0;

void last_words_fail_allocation(long n, size_t bytes) {
  failing_size = bytes;
  atomic_store(&failing, n);
}

int last_words_is_to_fail(size_t bytes) {
  if (atomic_load_explicit(&failing, memory_order_relaxed) == 0 || bytes < failing_size) return 0;
  return atomic_fetch_sub(&failing, 1) == 1;
}
