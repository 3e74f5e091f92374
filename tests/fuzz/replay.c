/* replay.c - runs a fuzz target over files and folders of inputs, with any compiler. A finding
 * aborts; its name was printed before. */
#include "fuzz.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>

static unsigned long count;
static const char *current = "(none)";

static char *read_whole(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    size_t room = 4096;
    char *bytes = malloc(room);

    *len = 0;
    while (f && bytes) {
        *len += fread(bytes + *len, 1, room - *len, f);
        if (*len < room)
            break;
        room *= 2;
        char *larger = realloc(bytes, room);
        if (!larger)
            free(bytes);
        bytes = larger;
    }
    if (!f || !bytes || ferror(f)) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(2);
    }
    fclose(f);
    return bytes;
}

static int run_file(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    size_t len;

    (void)st;
    (void)ftw;
    if (flag != FTW_F)
        return 0;
    char *bytes = read_whole(path, &len);
    char *exact = fuzz_copy(bytes, len);
    free(bytes);
    current = path;
    LLVMFuzzerTestOneInput((const uint8_t *)exact, len);
    free(exact);
    count++;
    return 0;
}

/* The sanitizers and abort() print where; this says with which input. */
static void on_abort(int signal)
{
    (void)signal;
    fprintf(stderr, "input: %s\n", current);
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND};

    sigaction(SIGABRT, &action, NULL);
    for (int i = 1; i < argc; i++) {
        if (nftw(argv[i], run_file, 16, FTW_PHYS) != 0) {
            fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
            return 2;
        }
    }
    if (count == 0) {
        fputs("usage: fuzz_NAME FILE|FOLDER...\n", stderr);
        return 2;
    }
    printf("%s: %lu inputs\n", argv[0], count);
    return 0;
}
