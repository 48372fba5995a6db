// What the process says when it cannot go on: memory has run out, or a mapped file became shorter under it.
//
// Both strike where no error can be thrown: inside an allocation of the language's runtime, and at a plain read of
// memory. One line goes to standard error and the process ends with exit code 1. Nothing here allocates.

#ifndef CLASTWORDS_H
#define CLASTWORDS_H

#include <stddef.h>

/// From now on, reading a mapped file where it has become shorter ends the process with a line that names it.
void last_words_explain_lost_maps(void);

/// Notes that a file is mapped. Returns a slot for `last_words_forget_map`, or -1 where the table is full: the file is
/// then not named.
int last_words_note_map(const void *base, size_t length, const char *path);

/// Forgets a map.
void last_words_forget_map(int slot);

/// Ends the process: `bytes` more of memory could not be had. 0 where the number is not known.
_Noreturn void last_words_out_of_memory(size_t bytes);

/// Ends the process: the system starts no more threads.
_Noreturn void last_words_no_threads(void);

/// Whether this was compiled with a sanitizer, whose own maps of memory know no limits.
int last_words_is_sanitized(void);

/// The n-th allocation from now on of at least `bytes` fails, as if memory had run out; 0 turns that off. For tests.
void last_words_fail_allocation(long n, size_t bytes);

/// Whether an allocation of this size is the one that is to fail.
int last_words_is_to_fail(size_t bytes);

#endif
