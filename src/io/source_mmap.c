/* source_mmap.c - the file's own pages, mapped. Nothing here or behind it touches them: the kernel
 * does, in writev, which answers EFAULT where the file was cut short; user code would get
 * SIGBUS. */
#include "gate.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PIECE = 64 * 1024 * 1024 }; /* mapped at a time */

struct mapped {
    struct source source;
    struct gate gate;
    struct file *file;
    off_t at, end;
    char *map; /* NULL, or map_len bytes of the file from map_offset */
    off_t map_offset;
    size_t map_len;
};

static void unmap(struct mapped *m)
{
    if (m->map)
        munmap(m->map, m->map_len);
    m->map = NULL;
}

/* Maps the piece with m->at in it. */
static int map_piece(struct mapped *m)
{
    off_t page = sysconf(_SC_PAGESIZE);

    unmap(m);
    m->map_offset = m->at - m->at % page;
    off_t left = m->end - m->map_offset;
    m->map_len = left < PIECE ? (size_t)left : PIECE;
    void *map = mmap(NULL, m->map_len, PROT_READ, MAP_SHARED, m->file->fd, m->map_offset);
    if (map == MAP_FAILED)
        return -errno;
    m->map = map;
    return 0;
}

static size_t mapped_from_here(const struct mapped *m)
{
    if (!m->map || m->at >= m->map_offset + (off_t)m->map_len)
        return 0;
    return (size_t)(m->map_offset + (off_t)m->map_len - m->at);
}

static enum pull mmap_pull(struct source *s, size_t want, struct chunk *out)
{
    struct mapped *m = container_of(s, struct mapped, source);
    size_t len;

    if (m->at == m->end)
        return PULL_END;
    enum pull answer = gate_pass(&m->gate, m->at, want, &len);
    if (answer == PULL_FAILED)
        return source_fail(s, m->gate.error, m->at);
    if (answer != PULL_READY)
        return answer;
    int rc = mapped_from_here(m) > 0 ? 0 : map_piece(m);
    if (rc < 0)
        return source_fail(s, rc, m->at);
    if (len > mapped_from_here(m))
        len = mapped_from_here(m);
    *out = (struct chunk){.data = m->map + (m->at - m->map_offset), .fd = -1, .offset = m->at, .len = len};
    return PULL_READY;
}

static void mmap_consumed(struct source *s, size_t n)
{
    struct mapped *m = container_of(s, struct mapped, source);
    m->at += (off_t)n;
}

static void mmap_close(struct source *s)
{
    struct mapped *m = container_of(s, struct mapped, source);

    gate_close(&m->gate);
    unmap(m);
    file_release(m->file);
    free(m);
}

static const struct source_ops mmap_ops = {
    .name = "mmap", .pull = mmap_pull, .consumed = mmap_consumed, .close = mmap_close};

/* Maps at once, so that a file that cannot be mapped is known while another method can still be
 * had. */
int source_mmap_open(struct source **out, const struct source_request *r)
{
    struct mapped *m = calloc(1, sizeof *m);
    if (!m)
        return -ENOMEM;
    source_init(&m->source, &mmap_ops, IO_MMAP, r);
    m->source.coherent = true;
    m->file = file_acquire(r->file);
    m->at = r->offset;
    m->end = r->offset + (off_t)r->len;
    int rc = map_piece(m);
    if (rc < 0) {
        mmap_close(&m->source);
        return rc;
    }
    gate_open(&m->gate, &m->source, r);
    *out = &m->source;
    return 0;
}
