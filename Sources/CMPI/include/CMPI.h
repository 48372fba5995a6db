// What headlamp-mpi needs of MPI, as plain functions: MPI's own names are macros over addresses, which Swift cannot see.
//
// Rank 0 hands out numbers from 1 up, on a thread of its own, so that its own work holds nobody up. Nobody waits by
// spinning: cores are for work.
#ifndef CMPI_H
#define CMPI_H

#include <stdint.h>

/// Begins. Returns 0, or a negative number where this MPI cannot be called from several threads.
int cmpi_start(void);
int cmpi_rank(void);
int cmpi_size(void);
/// How many ranks share this rank's machine, itself among them.
int cmpi_ranks_on_node(void);
/// On rank 0: hands out the numbers 1 to count, each once, in order, until every rank has been told that none is left.
void cmpi_hand_out(int count);
/// The next number for this rank; 0 where none is left.
int cmpi_next(void);
/// Replaces numbers by their sums over all ranks, the same bits on each: they are summed on rank 0 and sent from there.
void cmpi_sum(double *values, int count);
/// The lowest rank whose code is not zero, once every rank has said its own; -1 where all are zero. `code` becomes that
/// rank's, which is from 0 to 255.
int cmpi_first_problem(int *code);
/// Sends whole numbers and floats without waiting for the other rank to take them: they are copied first. Messages to one
/// rank arrive in their order.
void cmpi_send(
  const int64_t *numbers, int64_t number_count, const float *values, int64_t value_count, int rank);
/// Waits for the next message of a rank, and says how long its two parts are; `cmpi_receive` must follow.
void cmpi_receive_counts(int rank, int64_t *number_count, int64_t *value_count);
/// The message's parts.
void cmpi_receive(int64_t *numbers, int64_t number_count, float *values, int64_t value_count, int rank);
/// Waits until every rank has come here.
void cmpi_wait_for_all(void);
/// Ends well, together with all others.
void cmpi_finish(void);
/// Ends this and every other rank.
void cmpi_abort(int code);

#endif
