/* here.c - relative paths of the command line, made absolute. See here.h. */
#include "server/process/here.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As `pwd` does: $PWD has the links by which somebody came here, if it still leads here. */
static char *current_folder(void)
{
    const char *pwd = getenv("PWD");
    struct stat named, here;

    if (pwd && pwd[0] == '/' && stat(pwd, &named) == 0 && stat(".", &here) == 0 && named.st_dev == here.st_dev &&
        named.st_ino == here.st_ino)
        return strdup(pwd);
    return getcwd(NULL, 0);
}

/* Adds "/name" for each name of `path` but ".". */
static char *add_names(char *end, const char *path)
{
    while (*(path += strspn(path, "/"))) {
        size_t len = strcspn(path, "/");
        bool stays = len == 1 && path[0] == '.';
        if (!stays) {
            *end++ = '/';
            memcpy(end, path, len);
            end += len;
        }
        path += len;
    }
    return end;
}

char *here_path(const char *path)
{
    char *folder = path[0] == '/' ? strdup("") : current_folder();
    char *made = folder ? malloc(strlen(folder) + strlen(path) + 3) : NULL;

    if (made) {
        char *end = add_names(add_names(made, folder), path);
        if (end == made)
            *end++ = '/';
        *end = '\0';
    }
    free(folder);
    return made;
}
