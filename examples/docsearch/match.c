/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* match.c: see match.h. */
#include "match.h"

#include <regex.h>
#include <rein/context.h>
#include <rein/sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 4096 }; /* longer lines are searched in pieces */

static void free_regex(void *regex)
{
    regfree(regex);
    free(regex);
}

/* The pattern in its compiled form, which SQLite keeps for the whole statement; NULL if there is
 * none, and then call has its error. */
static const regex_t *compile(sqlite3_context *call, sqlite3_value *pattern)
{
    regex_t *regex = sqlite3_get_auxdata(call, 1);
    if (regex)
        return regex;
    const char *text = (const char *)sqlite3_value_text(pattern);
    regex = malloc(sizeof *regex);
    if (!regex || !text) {
        free(regex);
        sqlite3_result_error_nomem(call);
        return NULL;
    }
    int r = regcomp(regex, text, REG_EXTENDED);
    if (r != 0) {
        char why[128];
        regerror(r, regex, why, sizeof why);
        free(regex);
        sqlite3_result_error(call, why, -1);
        return NULL;
    }
    sqlite3_set_auxdata(call, 1, regex, free_regex);
    return sqlite3_get_auxdata(call, 1); /* NULL if SQLite had no room for it */
}

/* Copy the line that begins at text, or as much as fits, without its end.
 * Returns  where the next begins */
static const char *take_line(const char *text, char line[LINE_SIZE])
{
    size_t length = strcspn(text, "\n");
    size_t copied = length < LINE_SIZE ? length : LINE_SIZE - 1;
    memcpy(line, text, copied);
    line[copied] = '\0';
    text += copied;
    return *text == '\n' ? text + 1 : text;
}

static void first_match(sqlite3_context *call, int argc, sqlite3_value **argv)
{
    (void)argc;
    const char *text = (const char *)sqlite3_value_text(argv[0]);
    const rein_ctx *ctx = sqlite3_value_pointer(argv[2], MATCH_CONTEXT);
    const regex_t *regex = compile(call, argv[1]);
    if (!text || !ctx || !regex)
        return;
    char line[LINE_SIZE];
    while (*text) {
        if (rein_check(ctx) != 0) { /* looks at the clock too: on a busy machine timers come late */
            sqlite3_result_error_code(call, SQLITE_INTERRUPT);
            return;
        }
        text = take_line(text, line);
        if (regexec(regex, line, 0, NULL, 0) == 0) {
            sqlite3_result_text(call, line, -1, SQLITE_TRANSIENT);
            return;
        }
    }
}

int match_register(sqlite3 *db)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    return rein_sqlite3_errno(sqlite3_create_function_v2(db, "first_match", 3, flags, NULL,
                                                         first_match, NULL, NULL, NULL));
}
