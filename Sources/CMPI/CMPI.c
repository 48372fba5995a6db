#include "CMPI.h"

#include <mpi.h>
#include <pthread.h>
#include <unistd.h>

enum { request_tag = 1, reply_tag = 2, pause_microseconds = 1000 };

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

/// Waits for what is expected within microseconds: keeps looking for a while before it lets go of the core.
static void complete_soon(MPI_Request *request) {
  for (int looks = 0;; looks++) {
    int done = 0;
    MPI_Test(request, &done, MPI_STATUS_IGNORE);
    if (done) return;
    if (looks > 100) usleep(looks > 10000 ? pause_microseconds : 20);
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

void cmpi_finish(void) {
  if (has_server) pthread_join(server, NULL);
  MPI_Finalize();
}

void cmpi_abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }
