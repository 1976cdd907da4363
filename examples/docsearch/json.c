/* SPDX-FileCopyrightText: The rein authors
 * SPDX-License-Identifier: MIT */
/* json.c: see json.h. */
#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Make room for `more` characters and a NUL. */
static bool reserve(struct json *json, size_t more)
{
    if (json->failed)
        return false;
    if (json->length + more < json->room)
        return true;
    size_t room = (json->length + more + 1) * 2;
    char *text = realloc(json->text, room);
    if (!text) {
        json->failed = true;
        return false;
    }
    json->text = text;
    json->room = room;
    return true;
}

static void append(struct json *json, const char *text, size_t length)
{
    if (!reserve(json, length))
        return;
    memcpy(json->text + json->length, text, length);
    json->length += length;
    json->text[json->length] = '\0';
}

void json_raw(struct json *json, const char *text)
{
    append(json, text, strlen(text));
}

void json_format(struct json *json, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0 || !reserve(json, (size_t)length))
        return;
    va_start(args, format);
    vsnprintf(json->text + json->length, (size_t)length + 1, format, args);
    va_end(args);
    json->length += (size_t)length;
}

/* How many bytes of text are one well-formed UTF-8 character beyond ASCII; 0 if none are. */
static size_t utf8_length(const unsigned char *text)
{
    size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (text[0] < 0xc2 || text[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xc0) != 0x80) /* a NUL is not, so this stays inside the string */
            return 0;
    bool overlong = (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xf0 && text[1] < 0x90);
    bool surrogate = text[0] == 0xed && text[1] >= 0xa0;
    bool too_large = text[0] == 0xf4 && text[1] >= 0x90;
    return overlong || surrogate || too_large ? 0 : length;
}

void json_string(struct json *json, const char *text)
{
    const unsigned char *at = (const unsigned char *)(text ? text : "");
    json_raw(json, "\"");
    while (*at) {
        size_t length = *at < 0x80 ? 1 : utf8_length(at);
        if (length == 0)
            json_raw(json, "\\ufffd");
        else if (*at < 0x20 || *at == 0x7f)
            json_format(json, "\\u%04x", *at);
        else if (*at == '"' || *at == '\\')
            json_format(json, "\\%c", *at);
        else
            append(json, (const char *)at, length);
        at += length ? length : 1;
    }
    json_raw(json, "\"");
}

void json_free(struct json *json)
{
    free(json->text);
    *json = (struct json){0};
}
