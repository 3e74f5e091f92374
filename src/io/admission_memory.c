/* admission_memory.c - makes the memory that all workers share for admission.c, and copies that of
 * another server. memfd_create(2).
 *
 * The memory has a descriptor, which the master keeps: so whoever may look at that process
 * (ptrace(2), access mode PTRACE_MODE_READ) can read through /proc/PID/fd what its workers know,
 * and ask the server nothing for that. It cannot be cut short, as a file might be. */
#include "io/admission.h"

#include "admission_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* since Linux 6.3 */
#endif

/* Another number whenever the meaning of the memory changes. */
#define LAYOUT UINT64_C(0x736c756963650001)

enum { SIZE = sizeof(struct admission_table) };

static int open_memory(void)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd = memfd_create(ADMISSION_MEMORY, flags | MFD_NOEXEC_SEAL);

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create(ADMISSION_MEMORY, flags);
    if (fd < 0)
        return -1;
    if (ftruncate(fd, SIZE) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        return fd;
    close(fd);
    return -1;
}

static struct admission *make(struct admission_table *table, int fd, bool copied)
{
    struct admission *a = malloc(sizeof *a);

    if (a)
        *a = (struct admission){.table = table, .fd = fd, .copied = copied};
    return a;
}

/* Without a descriptor where none can be had: `sluice explain` cannot look at it then. */
int admission_create(struct admission **out)
{
    int fd = open_memory();
    void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS, fd, 0);
    int rc = memory == MAP_FAILED ? -errno : 0;

    if (rc == 0) {
        struct admission_table *table = memory;
        table->layout = LAYOUT;
        table->size = SIZE;
        *out = make(table, fd, false);
        if (*out)
            return 0;
        munmap(memory, SIZE);
        rc = -ENOMEM;
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

void admission_destroy(struct admission *a)
{
    if (!a)
        return;
    munmap(a->table, SIZE);
    if (a->fd >= 0)
        close(a->fd);
    free(a);
}

/* Read and not mapped, so that nothing changes under way, whatever the file is. */
static int read_table(struct admission_table *table, int fd)
{
    struct stat st;
    char *to = (char *)table;
    ssize_t n = 1;

    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_size != SIZE)
        return -EINVAL;
    for (off_t at = 0; at < SIZE && n > 0; at += n)
        n = pread(fd, to + at, (size_t)(SIZE - at), at);
    if (n <= 0)
        return n < 0 ? -errno : -EINVAL;
    return table->layout == LAYOUT && table->size == SIZE ? 0 : -EINVAL;
}

int admission_copy(struct admission **out, int fd)
{
    void *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        return -errno;
    int rc = read_table(memory, fd);
    if (rc == 0) {
        *out = make(memory, -1, true);
        if (*out)
            return 0;
        rc = -ENOMEM;
    }
    munmap(memory, SIZE);
    return rc;
}
