/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* errno.c: SQLite's result codes as negative errnos, where a program expects one. */
#include <rein/sqlite3.h>

#include <errno.h>

int rein_sqlite3_errno(int native)
{
    switch (native & 0xff) { /* an extended code keeps the plain one in its low byte */
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_INTERRUPT:
        return -EINTR;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_CANTOPEN:
        return -ENOENT;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_TOOBIG:
        return -E2BIG;
    case SQLITE_RANGE:
        return -ERANGE;
    case SQLITE_CONSTRAINT:
        return -EEXIST;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_ERROR:
    case SQLITE_MISUSE:
    case SQLITE_MISMATCH:
    case SQLITE_SCHEMA:
        return -EINVAL;
    case SQLITE_ABORT:
        return -ESTALE;
    default:
        return -EIO;
    }
}
