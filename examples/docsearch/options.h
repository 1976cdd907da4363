/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* options.h: what the command line says. */
#ifndef DOCSEARCH_OPTIONS_H
#define DOCSEARCH_OPTIONS_H

#include <rein/time.h>
#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *folder;   /* whose text files are indexed */
    const char *database; /* where the index is kept */
    uint16_t port;        /* on 127.0.0.1; 0: one that is free */
    int workers;          /* threads that index */
    int connections;      /* to the database, for all requests together */
    rein_duration limit;  /* for one request, if its client sets none that is shorter */
    rein_duration grace;  /* for running requests, once the service is to stop */
    bool index_only; /* do not serve */
    bool check;      /* do nothing but look whether the database is whole */
};

/* Read the command line; what is wrong with it goes to standard error.
 * Returns  -1 to go on, else the exit status */
int options_read(struct options *ret_options, int argc, char **argv);

#endif
