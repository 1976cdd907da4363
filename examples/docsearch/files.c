/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* files.c: see files.h. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGEST_TEXT = 1 << 20 };

/* Add a path, which from here on is the list's. */
static int add(struct files *files, char *path)
{
    if (files->count == files->room) {
        size_t room = files->room ? 2 * files->room : 256;
        char **paths = realloc(files->paths, room * sizeof *paths);
        if (!paths) {
            free(path);
            return -ENOMEM;
        }
        files->paths = paths;
        files->room = room;
    }
    files->paths[files->count++] = path;
    return 0;
}

/* Take one entry of a folder: a file into the list, and what is below a folder too. */
static int visit(const rein_ctx *ctx, const char *folder, const char *name, struct files *files)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (!path)
        return -ENOMEM;
    snprintf(path, size, "%s/%s", folder, name);

    struct stat info;
    bool found = lstat(path, &info) == 0;
    if (found && S_ISREG(info.st_mode))
        return add(files, path);
    int r = 0;
    if (found && S_ISDIR(info.st_mode))
        r = files_list(ctx, path, files);
    free(path);
    return r == -ENOMEM || rein_done(ctx) ? r : 0; /* a folder that cannot be read is left out */
}

int files_list(const rein_ctx *ctx, const char *folder, struct files *ret_files)
{
    DIR *stream = opendir(folder);
    if (!stream)
        return -errno;
    int r = 0;
    struct dirent *entry;
    while (r == 0 && (r = rein_err(ctx)) == 0 && (entry = readdir(stream)))
        r = visit(ctx, folder, entry->d_name, ret_files);
    closedir(stream);
    return r;
}

void files_free(struct files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->paths[i]);
    free(files->paths);
    *files = (struct files){0};
}

/* Read size bytes; fewer if the file has become shorter meanwhile. */
static int read_all(int fd, char *text, size_t size, size_t *ret_length)
{
    size_t length = 0;
    while (length < size) {
        ssize_t n = read(fd, text + length, size - length);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            break;
        if (n > 0)
            length += (size_t)n;
    }
    *ret_length = length;
    return 0;
}

static int read_text(int fd, char **ret_text)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return -errno;
    if (info.st_size > LARGEST_TEXT)
        return -EFBIG;
    size_t length = 0;
    char *text = malloc((size_t)info.st_size + 1);
    if (!text)
        return -ENOMEM;
    int r = read_all(fd, text, (size_t)info.st_size, &length);
    if (r == 0 && memchr(text, '\0', length))
        r = -EILSEQ;
    if (r < 0) {
        free(text);
        return r;
    }
    text[length] = '\0';
    *ret_text = text;
    return 0;
}

int files_read(const char *path, char **ret_text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    int r = read_text(fd, ret_text);
    close(fd);
    return r;
}
