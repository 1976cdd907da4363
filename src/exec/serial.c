/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* exec/serial.c: one job at a time, in order, over another executor.
 *
 * At most one job of the executor below is outstanding: `turn`, which runs one of ours and posts
 * itself again while there are more. mu guards the queue and is a leaf. */
#include <stdbool.h>

#include "base/attr.h"
#include "base/mem.h"
#include "base/panic.h"
#include "exec/exec.h"
#include "exec/jobs.h"
#include "plat/mutex.h"
#include "plat/plat.h"

struct serial {
    rein_executor executor; /* first: found from it */
    rein_executor *over;    /* set once */
    reini_mutex mu;
    struct jobs queued;
    size_t secured;  /* jobs still to come, each secured below too */
    size_t spare;    /* secured below for jobs that joined the queue behind a turn */
    bool turning;    /* `turn` is posted or running */
    bool freed;      /* by its own last job: gone after this turn */
    rein_job turn;
};

static struct serial *serial_of(rein_executor *executor)
{
    return CONTAINER_OF(executor, struct serial, executor);
}

static int secure(rein_executor *executor)
{
    struct serial *serial = serial_of(executor);
    int r = executor_secure(serial->over);
    if (r == 0) {
        mutex_lock(&serial->mu);
        serial->secured++;
        mutex_unlock(&serial->mu);
    }
    return r;
}

static void forgo(rein_executor *executor)
{
    struct serial *serial = serial_of(executor);
    rein_executor *over = serial->over; /* not later: with nothing to come it may be freed */
    mutex_lock(&serial->mu);
    serial->secured--;
    mutex_unlock(&serial->mu);
    executor_forgo(over);
}

static void run_turn(rein_job *turn)
{
    struct serial *serial = CONTAINER_OF(turn, struct serial, turn);
    mutex_lock(&serial->mu);
    rein_job *job = jobs_take(&serial->queued);
    mutex_unlock(&serial->mu);
    uint16_t birth = reini_birth;
    job->run(job);
    if (birth != reini_birth)
        return; /* it has forked: in the child mu may be held for ever, and no inherited job runs */
    mutex_lock(&serial->mu);
    bool more = serial->queued.first != NULL, freed = serial->freed;
    if (more)
        serial->spare--;
    else
        serial->turning = false;
    mutex_unlock(&serial->mu);
    if (more)
        serial->over->post(serial->over, turn);
    else if (freed)
        reini_free(serial);
}

static void post(rein_executor *executor, rein_job *job)
{
    struct serial *serial = serial_of(executor);
    mutex_lock(&serial->mu);
    serial->secured--;
    jobs_add(&serial->queued, job);
    bool start = !serial->turning;
    serial->turning = true;
    if (!start)
        serial->spare++;
    mutex_unlock(&serial->mu);
    if (start)
        serial->over->post(serial->over, &serial->turn);
}

rein_executor *rein_serial_new(rein_executor *over)
{
    struct serial *serial = reini_alloc_zero(sizeof *serial);
    if (!serial)
        return NULL;
    serial->executor = (rein_executor){sizeof serial->executor, "serial", secure, forgo, post};
    serial->over = over ? over : rein_pool_executor();
    serial->turn.run = run_turn;
    return &serial->executor;
}

void rein_serial_free(rein_executor *executor)
{
    if (!executor)
        return;
    if (executor->secure != secure)
        reini_panic("serial-required", "only what rein_serial_new() made is given back", executor);
    struct serial *serial = serial_of(executor);
    mutex_lock(&serial->mu);
    bool busy = serial->queued.first || serial->secured > 0, turning = serial->turning;
    serial->freed = turning;
    mutex_unlock(&serial->mu);
    if (busy)
        reini_panic("serial-busy", "freed with jobs still to come", executor);
    if (!turning)
        reini_free(serial);
}

int rein_post(rein_executor *executor, rein_job *job)
{
    int r = executor_secure(executor);
    if (r == 0)
        executor->post(executor, job);
    return r;
}
