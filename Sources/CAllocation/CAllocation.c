#define _GNU_SOURCE
#include "CAllocation.h"

#include <features.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ALLOCATION_IS_SANITIZED 1
#endif
#endif

void allocation_is_explained(void) {}

// Sanitizers bring allocators of their own, and other C libraries have no second names for theirs.
#if defined(__GLIBC__) && !defined(ALLOCATION_IS_SANITIZED)

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "CLastWords.h"

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
  void *memory = last_words_is_to_fail(size) ? NULL : __libc_malloc(size);
  if (memory == NULL) last_words_out_of_memory(size);
  return memory;
}

void *calloc(size_t count, size_t size) {
  size_t total;
  if (__builtin_mul_overflow(count, size, &total)) last_words_out_of_memory(0);
  void *memory = last_words_is_to_fail(total) ? NULL : __libc_calloc(count, size);
  if (memory == NULL) last_words_out_of_memory(total);
  return memory;
}

void *realloc(void *old, size_t size) {
  void *memory = last_words_is_to_fail(size) ? NULL : __libc_realloc(old, size);
  if (memory == NULL && size > 0) last_words_out_of_memory(size);
  return memory;
}

static void *aligned(size_t alignment, size_t size) {
  void *memory = last_words_is_to_fail(size) ? NULL : __libc_memalign(alignment, size);
  if (memory == NULL) last_words_out_of_memory(size);
  return memory;
}

void *memalign(size_t alignment, size_t size) { return aligned(alignment, size); }

void *aligned_alloc(size_t alignment, size_t size) { return aligned(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
  if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
  *memory = aligned(alignment, size);
  return 0;
}

// OpenBLAS takes its buffers by mmap, and asks again without end where it gets none.
void *mmap(void *address, size_t length, int protection, int flags, int descriptor, off_t offset) {
  long result = syscall(SYS_mmap, address, length, protection, flags, descriptor, offset);
  if (result == -1 && errno == ENOMEM && (flags & MAP_ANONYMOUS)) last_words_out_of_memory(length);
  return (void *)result;
}

// Dispatch waits without end for a thread that the system has no memory for.
int pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
  static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
  int code = real(thread, attributes, start, argument);
  if (code == EAGAIN || code == ENOMEM) last_words_no_threads();
  return code;
}

#endif
