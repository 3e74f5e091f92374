/* title.c - process titles: written over the memory that argv and environ had at start, which is
 * what the kernel shows. */
#include "base/title.h"

#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *room, *room_end; /* NULL: none */
static char *command;
static char **arguments, **environment; /* the copies; they live as long as the process */

/* argv's strings and environ's lie one after another; only what is contiguous may be written
 * over. */
static char *end_of(char *end, char *const *strings)
{
    for (; *strings && *strings == end; strings++)
        end += strlen(*strings) + 1;
    return end;
}

static char *join(int argc, char *const *argv)
{
    struct buffer b;

    buffer_init(&b);
    for (int i = 0; i < argc; i++) {
        if (i > 0)
            buffer_add_char(&b, ' ');
        buffer_add_str(&b, argv[i]);
    }
    if (b.failed) {
        buffer_fini(&b);
        return NULL;
    }
    return buffer_steal(&b, NULL);
}

/* A copy of the pointers and, behind them in the same block, of what they point to. NULL: no
 * memory. */
static char **copy_strings(char *const *strings)
{
    size_t count = 0, bytes = 0;
    char **copy;
    char *at;

    for (; strings[count]; count++)
        bytes += strlen(strings[count]) + 1;
    copy = malloc((count + 1) * sizeof *copy + bytes);
    if (!copy)
        return NULL;
    at = (char *)(copy + count + 1);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(strings[i]) + 1;

        copy[i] = memcpy(at, strings[i], len);
        at += len;
    }
    copy[count] = NULL;
    return copy;
}

void title_init(int argc, char **argv)
{
    char *end;

    arguments = copy_strings(argv);
    environment = copy_strings(environ);
    command = join(argc, argv);
    if (!arguments || !environment || argc == 0)
        return;
    end = end_of(argv[0], argv);
    room = argv[0];
    room_end = end_of(end, environ);
    environ = environment;
    memcpy(argv, arguments, (size_t)argc * sizeof *argv);
}

void title_set(const char *format, ...)
{
    char title[1024];
    size_t len, most;
    va_list args;

    if (!room)
        return;
    va_start(args, format);
    vsnprintf(title, sizeof title, format, args);
    va_end(args);
    most = (size_t)(room_end - room) - 1;
    len = strnlen(title, most);
    memcpy(room, title, len);
    memset(room + len, 0, most - len + 1);
}

const char *title_command(void)
{
    return command ? command : "sluice";
}
