#include "CMPI.h"

#include <limits.h>
#include <mpi.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { request_tag = 1, reply_tag = 2, message_tag = 3, pause_microseconds = 1000 };
/// MPI counts elements in an int, so longer messages go in pieces.
enum { longest_piece = 1 << 28 };

static int hand_out_count;
static pthread_t server;
static int has_server;

int cmpi_start(void) {
  int provided = 0;
  if (MPI_Init_thread(NULL, NULL, MPI_THREAD_MULTIPLE, &provided) != MPI_SUCCESS) return -1;
  return provided >= MPI_THREAD_MULTIPLE ? 0 : -1;
}

int cmpi_rank(void) {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

int cmpi_size(void) {
  int size = 1;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

int cmpi_ranks_on_node(void) {
  MPI_Comm node;
  int size = 1;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_size(node, &size);
  MPI_Comm_free(&node);
  return size;
}

/// Waits for a request without keeping a core busy.
static void complete(MPI_Request *request) {
  for (;;) {
    int done = 0;
    MPI_Test(request, &done, MPI_STATUS_IGNORE);
    if (done) return;
    usleep(pause_microseconds);
  }
}

static void *serve(void *unused) {
  (void)unused;
  int next = 1;
  for (int told = 0; told < cmpi_size();) {
    int nothing = 0;
    MPI_Request request;
    MPI_Status status;
    MPI_Irecv(&nothing, 1, MPI_INT, MPI_ANY_SOURCE, request_tag, MPI_COMM_WORLD, &request);
    for (;;) {
      int done = 0;
      MPI_Test(&request, &done, &status);
      if (done) break;
      usleep(pause_microseconds);
    }
    int number = next <= hand_out_count ? next++ : 0;
    if (number == 0) told++;
    MPI_Send(&number, 1, MPI_INT, status.MPI_SOURCE, reply_tag, MPI_COMM_WORLD);
  }
  return NULL;
}

void cmpi_hand_out(int count) {
  hand_out_count = count;
  has_server = pthread_create(&server, NULL, serve, NULL) == 0;
  if (!has_server) cmpi_abort(1);
}

int cmpi_next(void) {
  int number = 0;
  MPI_Request reply;
  MPI_Irecv(&number, 1, MPI_INT, 0, reply_tag, MPI_COMM_WORLD, &reply);
  int nothing = 0;
  MPI_Request sent;
  MPI_Isend(&nothing, 1, MPI_INT, 0, request_tag, MPI_COMM_WORLD, &sent);
  complete(&sent);
  complete(&reply);
  return number;
}

/// Waits for what is expected soon: lends the core to others between looks, and sleeps only after some milliseconds.
static void complete_soon(MPI_Request *request) {
  for (int looks = 0;; looks++) {
    int done = 0;
    MPI_Test(request, &done, MPI_STATUS_IGNORE);
    if (done) return;
    if (looks < 5000) sched_yield();
    else usleep(50);
  }
}

void cmpi_sum(double *values, int count) {
  MPI_Request request;
  if (cmpi_rank() == 0) {
    MPI_Ireduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD, &request);
  } else {
    MPI_Ireduce(values, values, count, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD, &request);
  }
  complete_soon(&request);
  MPI_Ibcast(values, count, MPI_DOUBLE, 0, MPI_COMM_WORLD, &request);
  complete_soon(&request);
}

void cmpi_wait_for_all(void) {
  MPI_Request barrier;
  MPI_Ibarrier(MPI_COMM_WORLD, &barrier);
  complete(&barrier);
}

int cmpi_first_problem(int *code) {
  int own = *code == 0 ? INT_MAX : cmpi_rank() * 256 + (*code & 255);
  int first = INT_MAX;
  MPI_Request all;
  MPI_Iallreduce(&own, &first, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD, &all);
  complete(&all);
  if (first == INT_MAX) return -1;
  *code = first % 256;
  return first / 256;
}

/// A message on its way, with memory of its own.
struct outgoing {
  int64_t counts[2];
  int64_t *numbers;
  float *values;
  MPI_Request *requests;
  int request_count;
};

static atomic_int outgoing_count;

static int is_gone(struct outgoing *message) {
  int done = 0;
  MPI_Testall(message->request_count, message->requests, &done, MPI_STATUSES_IGNORE);
  return done;
}

static void *see_off(void *argument) {
  struct outgoing *message = argument;
  while (!is_gone(message)) usleep(pause_microseconds);
  free(message->numbers);
  free(message->values);
  free(message->requests);
  free(message);
  atomic_fetch_sub(&outgoing_count, 1);
  return NULL;
}

static void *memory(int64_t count, size_t width) {
  void *found = malloc(count > 0 ? (size_t)count * width : 1);
  if (found == NULL) {
    fprintf(stderr, "headlamp-mpi: there is no memory for a message of %lld bytes\n", (long long)count * (long long)width);
    cmpi_abort(1);
  }
  return found;
}

void cmpi_send(
  const int64_t *numbers, int64_t number_count, const float *values, int64_t value_count, int rank) {
  struct outgoing *message = memory(1, sizeof *message);
  message->counts[0] = number_count;
  message->counts[1] = value_count;
  message->numbers = memory(number_count, sizeof *numbers);
  message->values = memory(value_count, sizeof *values);
  if (number_count > 0) memcpy(message->numbers, numbers, (size_t)number_count * sizeof *numbers);
  if (value_count > 0) memcpy(message->values, values, (size_t)value_count * sizeof *values);
  message->requests = memory(2 + value_count / longest_piece + 1, sizeof *message->requests);
  int count = 0;
  MPI_Isend(message->counts, 2, MPI_INT64_T, rank, message_tag, MPI_COMM_WORLD, &message->requests[count++]);
  MPI_Isend(
    message->numbers, (int)number_count, MPI_INT64_T, rank, message_tag, MPI_COMM_WORLD, &message->requests[count++]);
  for (int64_t start = 0; start < value_count; start += longest_piece) {
    int64_t left = value_count - start;
    MPI_Isend(
      message->values + start, (int)(left < longest_piece ? left : longest_piece), MPI_FLOAT, rank, message_tag,
      MPI_COMM_WORLD, &message->requests[count++]);
  }
  message->request_count = count;
  atomic_fetch_add(&outgoing_count, 1);
  // A message moves on only while its sender is inside MPI, so that a thread stays there while the next one is made.
  pthread_t thread;
  if (pthread_create(&thread, NULL, see_off, message) != 0) {
    fprintf(stderr, "headlamp-mpi: no thread could be started for a message\n");
    cmpi_abort(1);
  }
  pthread_detach(thread);
}

static void receive(void *target, int count, MPI_Datatype type, int rank) {
  MPI_Request request;
  MPI_Irecv(target, count, type, rank, message_tag, MPI_COMM_WORLD, &request);
  complete(&request);
}

void cmpi_receive_counts(int rank, int64_t *number_count, int64_t *value_count) {
  int64_t counts[2] = {0, 0};
  receive(counts, 2, MPI_INT64_T, rank);
  *number_count = counts[0];
  *value_count = counts[1];
}

void cmpi_receive(int64_t *numbers, int64_t number_count, float *values, int64_t value_count, int rank) {
  receive(numbers, (int)number_count, MPI_INT64_T, rank);
  for (int64_t start = 0; start < value_count; start += longest_piece) {
    int64_t left = value_count - start;
    receive(values + start, (int)(left < longest_piece ? left : longest_piece), MPI_FLOAT, rank);
  }
}

void cmpi_finish(void) {
  while (atomic_load(&outgoing_count) > 0) usleep(pause_microseconds);
  if (has_server) pthread_join(server, NULL);
  MPI_Finalize();
}

void cmpi_abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }
