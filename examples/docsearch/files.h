/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* files.h: the files below a folder. */
#ifndef DOCSEARCH_FILES_H
#define DOCSEARCH_FILES_H

#include <rein/context.h>
#include <stddef.h>

struct files {
    char **paths;
    size_t count;
    size_t room;
};

/* List all regular files below folder; symbolic links are not followed, and what cannot be read is
 * left out. ret_files starts as {0} and is to be given back with files_free() in any case.
 *
 * Returns  0
 * Errors   -ECANCELED, -ETIMEDOUT  ctx was done first
 *          -ENOMEM
 *          others                  folder itself cannot be read */
int files_list(const rein_ctx *ctx, const char *folder, struct files *ret_files);

void files_free(struct files *files);

/* Read a text file.
 *
 * Returns  0; *ret_text is to be freed
 * Errors   -EILSEQ  it is no text: it has a NUL in it
 *          -EFBIG   it is larger than a text should be
 *          others   it cannot be read */
int files_read(const char *path, char **ret_text);

#endif
