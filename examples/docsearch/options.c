/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* options.c: see options.h. */
#include "options.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const struct options defaults = {
    .database = "docsearch.db",
    .port = 8080,
    .workers = 4,
    .connections = 4,
    .limit = 10 * REIN_SECOND,
    .grace = 5 * REIN_SECOND,
};

static const char usage[] =
    "usage: docsearch [options]\n"
    "  --folder PATH       index the text files below this folder\n"
    "                      (/usr/share/doc, or docs where that is empty)\n"
    "  --database FILE     keep the index here (docsearch.db)\n"
    "  --port N            serve on 127.0.0.1:N; 0 for a free port (8080)\n"
    "  --workers N         index with N threads (4)\n"
    "  --connections N     serve with N connections to the database (4)\n"
    "  --limit DURATION    longest time for one request (10s)\n"
    "  --grace DURATION    time for running requests after Ctrl-C (5s)\n"
    "  --index-only        index, and do not serve\n"
    "  --check             do neither; look whether the database is whole\n";

static bool has_entries(const char *folder)
{
    int entries = 0;
    DIR *stream = opendir(folder);
    while (stream && readdir(stream))
        entries++;
    if (stream)
        closedir(stream);
    return entries > 2; /* itself and its parent are two */
}

static const struct option names[] = {
    {"folder", required_argument, NULL, 'f'},      {"database", required_argument, NULL, 'd'},
    {"port", required_argument, NULL, 'p'},        {"workers", required_argument, NULL, 'w'},
    {"connections", required_argument, NULL, 'c'}, {"limit", required_argument, NULL, 'l'},
    {"grace", required_argument, NULL, 'g'},       {"index-only", no_argument, NULL, 'i'},
    {"check", no_argument, NULL, 'k'},             {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int read_number(const char *text, long least, long most, long *ret_number)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno || end == text || *end || number < least || number > most)
        return -EINVAL;
    *ret_number = number;
    return 0;
}

static int read_count(const char *text, int *ret_count)
{
    long number;
    int r = read_number(text, 1, 64, &number);
    if (r == 0)
        *ret_count = (int)number;
    return r;
}

static int read_port(const char *text, uint16_t *ret_port)
{
    long number;
    int r = read_number(text, 0, 65535, &number);
    if (r == 0)
        *ret_port = (uint16_t)number;
    return r;
}

static int read_option(struct options *options, int name, char *value)
{
    switch (name) {
    case 'f':
        options->folder = value;
        return 0;
    case 'd':
        options->database = value;
        return 0;
    case 'i':
        options->index_only = true;
        return 0;
    case 'k':
        options->check = true;
        return 0;
    case 'p':
        return read_port(value, &options->port);
    case 'w':
        return read_count(value, &options->workers);
    case 'c':
        return read_count(value, &options->connections);
    case 'l':
        return rein_parse_duration(value, &options->limit);
    case 'g':
        return rein_parse_duration(value, &options->grace);
    default:
        return -EINVAL;
    }
}

int options_read(struct options *ret_options, int argc, char **argv)
{
    int name;
    *ret_options = defaults;
    /* The documentation that is installed; on a system that has none, our own. */
    ret_options->folder = has_entries("/usr/share/doc") ? "/usr/share/doc" : "docs";
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (name == 'h') {
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        }
        if (read_option(ret_options, name, optarg) < 0) {
            if (name != '?') /* of an unknown option getopt has complained itself */
                fprintf(stderr, "docsearch: \"%s\" will not do here\n", optarg);
            fputs(usage, stderr);
            return EXIT_FAILURE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "docsearch: what is \"%s\"?\n%s", argv[optind], usage);
        return EXIT_FAILURE;
    }
    return -1;
}
