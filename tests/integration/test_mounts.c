/* test_mounts.c - large files on real filesystems: those that take O_DIRECT, those that refuse it
 * when the file is opened or only when it is read, and sectors of 512 and of 4096 bytes. Mounting
 * needs root: those cases say so and pass where it may not be done. The others refuse in the
 * kernel's place. */
#include "deny.h"
#include "harness.h"
#include "mounts.h"
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB  ((off_t)1 << 20)
#define SIZE (5 * MIB + 321)

enum { RANDOM_RANGES = 40 };

static const char *const readers[] = {"aio io_uring;", "aio libaio;", "aio threads;", "aio on;", "aio off;"};

/* ---- what is served ---- */

static void serve(const char *root, const char *conf)
{
    char text[4096];
    snprintf(text, sizeof text,
             "@MAIN@\nevents { }\nhttp {\n@HTTP@\nlog_format io '$request_uri $status $body_bytes_sent $io_method';\n"
             "server {\nlisten 127.0.0.1:@PORT@;\naccess_log logs/io.log io;\nroot %s;\ndirectio 1m;\n%s\n}\n}\n",
             root, conf);
    site_conf(text);
    site_start();
}

static void fetch(const char *target, off_t first, off_t len)
{
    char fields[96] = "";
    struct site_client c;
    struct site_response r;
    if (len < SIZE)
        snprintf(fields, sizeof fields, "Range: bytes=%jd-%jd\r\n", (intmax_t)first, (intmax_t)(first + len - 1));
    client_open(&c, site_port(0));
    client_say(&c, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", target, fields);
    ck_assert_msg(client_head(&c, &r), "%s: closed", target);
    ck_assert_int_eq(r.status, len < SIZE ? 206 : 200);
    client_expect_pattern(&c, first, len);
    ck_assert(client_ends(&c));
    site_response_free(&r);
    client_close(&c);
}

/* The whole, starts and ends on and beside sectors and pages, the tail, and ranges at random. How
 * many that were. */
static unsigned fetch_all(const char *target, unsigned seed)
{
    static const off_t ranges[][2] = {{0, SIZE},           {0, 1},       {1, 1},        {511, 69490},
                                      {512, 1024},         {4095, 3},    {4096, 4096},  {4097, 1},
                                      {1000001, 2000000},  {MIB - 1, 2}, {SIZE - 1, 1}, {SIZE - 322, 322},
                                      {SIZE - 4097, 4097}, {1, SIZE - 1}};
    enum { FIXED = sizeof ranges / sizeof *ranges };
    for (size_t i = 0; i < FIXED; i++)
        fetch(target, ranges[i][0], ranges[i][1]);
    for (int i = 0; i < RANDOM_RANGES; i++) {
        off_t first = rand_r(&seed) % SIZE, len = 1 + rand_r(&seed) % (i % 2 ? 3000 : 400000);
        fetch(target, first, first + len > SIZE ? SIZE - first : len);
    }
    return FIXED + RANDOM_RANGES;
}

/* Of the lines in the log, which must be `responses` in the end. */
static unsigned logged(const char *method, unsigned responses)
{
    char word[32];
    char *log = log_await_count("logs/io.log", "\n", responses);
    snprintf(word, sizeof word, " %s\n", method);
    unsigned count = count_text(log, word);
    free(log);
    return count;
}

static unsigned warnings(void)
{
    char *log = site_read("logs/error.log", NULL);
    unsigned count = count_text(log, " refuses O_DIRECT;");
    ck_assert_uint_eq(count_text(log, "[warn]"), count);
    free(log);
    return count;
}

static void end_server(void)
{
    site_stop(SIGTERM);
    unlink(site_path("logs/io.log"));
    unlink(site_path("logs/error.log"));
}

/* ---- filesystems ---- */

/* Made by mkfs in a sparse image. */
static const char *blank_image(off_t size)
{
    const char *image = site_write("image", "");
    ck_assert_int_eq(truncate(image, size), 0);
    return image;
}

static bool make_tmpfs(unsigned sector)
{
    (void)sector;
    if (!mount_plain("tmpfs", "mnt", "size=16m"))
        return false;
    site_pattern("mnt/f", SIZE);
    return true;
}

static bool make_ext4_with(unsigned sector, const char *features, const char *options)
{
    const char *image = blank_image(48 * MIB);
    if (!run_tool("mkfs.ext4", "-q", "-F", "-b", sector > 1024 ? "4096" : "1024", "-O", features, image, NULL) ||
        !mount_image("ext4", "mnt", image, sector, false, options))
        return false;
    site_pattern("mnt/f", SIZE);
    return true;
}

static bool make_ext4(unsigned sector)
{
    return make_ext4_with(sector, "^has_journal", "");
}

/* With its data in the journal it has no direct reads, and says so in statx. */
static bool make_ext4_journalled(unsigned sector)
{
    return make_ext4_with(sector, "has_journal", "data=journal");
}

static bool make_xfs(unsigned sector)
{
    char sectors[32];
    const char *image = blank_image(320 * MIB); /* the least that mkfs.xfs takes is 300 */
    snprintf(sectors, sizeof sectors, "size=%u", sector);
    if (!run_tool("mkfs.xfs", "-q", "-f", "-s", sectors, image, NULL) ||
        !mount_image("xfs", "mnt", image, sector, false, ""))
        return false;
    site_pattern("mnt/f", SIZE);
    return true;
}

static bool make_squashfs(const char *at)
{
    site_pattern("tree/f", SIZE);
    const char *image = site_path("image");
    return run_tool("mksquashfs", site_path("tree"), image, "-quiet", "-no-progress", "-noappend", NULL) &&
           mount_image("squashfs", at, image, 512, true, "");
}

static bool make_bare_squashfs(unsigned sector)
{
    (void)sector;
    return make_squashfs("mnt");
}

/* As an image of a container comes: squashfs below, something that can be written to above. */
static bool make_overlay(unsigned sector)
{
    char options[8192];
    (void)sector;
    if (!make_squashfs("lower") || !mount_plain("tmpfs", "above", "size=16m"))
        return false;
    site_mkdir("above/upper");
    site_mkdir("above/work");
    snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s", site_path("lower"),
             site_path("above/upper"), site_path("above/work"));
    return mount_plain("overlay", "mnt", options);
}

static bool make_fuse(unsigned sector)
{
    (void)sector;
    return mount_fuse("mnt", FUSE_TAKES_DIRECT, SIZE);
}

static bool make_fuse_refusing_open(unsigned sector)
{
    (void)sector;
    return mount_fuse("mnt", FUSE_REFUSES_OPEN, SIZE);
}

static bool make_fuse_refusing_read(unsigned sector)
{
    (void)sector;
    return mount_fuse("mnt", FUSE_REFUSES_READ, SIZE);
}

static bool make_fuse_reading_short(unsigned sector)
{
    (void)sector;
    return mount_fuse("mnt", FUSE_READS_SHORT, SIZE);
}

static const struct kind {
    const char *name;
    bool (*make)(unsigned sector);
    unsigned sector;   /* bytes; 0: not on a disk */
    bool some_direct;  /* `direct` may be what is logged */
    bool some_refused; /* `buffered` may */
    bool silent;       /* no warning then: one file has no direct reads, which says nothing of the filesystem */
} kinds[] = {
    {.name = "tmpfs", .make = make_tmpfs, .some_direct = true /* since Linux 6.6 */, .some_refused = true},
    {.name = "ext4, 512", .make = make_ext4, .sector = 512, .some_direct = true},
    {.name = "ext4, 4096", .make = make_ext4, .sector = 4096, .some_direct = true},
    {.name = "xfs, 512", .make = make_xfs, .sector = 512, .some_direct = true},
    {.name = "xfs, 4096", .make = make_xfs, .sector = 4096, .some_direct = true},
    {.name = "ext4 data=journal", .make = make_ext4_journalled, .some_refused = true, .silent = true},
    {.name = "squashfs", .make = make_bare_squashfs, .some_refused = true},
    {.name = "squashfs under overlayfs", .make = make_overlay, .some_refused = true},
    {.name = "fuse", .make = make_fuse, .some_direct = true},
    {.name = "fuse reading short", .make = make_fuse_reading_short, .some_direct = true},
    {.name = "fuse refusing open", .make = make_fuse_refusing_open, .some_refused = true},
    {.name = "fuse refusing read", .make = make_fuse_refusing_read, .some_refused = true},
};

/* The device is what it is said to be: less than a sector cannot be read past the page cache. */
static void expect_sector(const char *path, unsigned sector)
{
    int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    void *page = aligned_alloc(4096, 4096);
    ck_assert_int_eq(pread(fd, page, 512, 512), sector == 512 ? 512 : -1);
    free(page);
    close(fd);
}

/* What was read past the page cache, or through it with RWF_DONTCACHE, is not there afterwards. */
static void serve_by(const struct kind *k, const char *reader, const char *path)
{
    bool uncached = pages_can_be_uncached(path), cold = pages_evict(path);
    char conf[256];
    snprintf(conf, sizeof conf, "directio_alignment 512; %s", reader);
    serve("@DIR@/mnt", conf);
    unsigned count = fetch_all("/f", 7), direct = logged("direct", count), buffered = logged("buffered", count);
    ck_assert_msg(direct == count || buffered == count, "%s, %s: %u direct, %u buffered of %u", k->name, reader, direct,
                  buffered, count);
    ck_assert_msg(direct ? k->some_direct : k->some_refused, "%s, %s: %s", k->name, reader,
                  direct ? "direct" : "buffered");
    ck_assert_uint_eq(warnings(), buffered && !k->silent);
    if (cold && (direct || uncached))
        ck_assert_msg(pages_resident(path) == 0, "%s, %s: %zu pages are in memory", k->name, reader,
                      pages_resident(path));
    end_server();
}

START_TEST(filesystem)
{
    const struct kind *k = &kinds[_i];
    if (!mounts_enter() || !k->make(k->sector))
        return;
    char path[4096];
    snprintf(path, sizeof path, "%s", site_path("mnt/f"));
    if (k->sector)
        expect_sector(path, k->sector);
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        serve_by(k, readers[i], path);
}
END_TEST

/* Each is found out by itself, warned about once however many files and requests there are, and no
 * other suffers. */
START_TEST(one_warning_per_filesystem)
{
    if (!mounts_enter() || !mount_plain("tmpfs", "mnt", "size=16m") ||
        !mount_fuse("mnt/open", FUSE_REFUSES_OPEN, SIZE) || !mount_fuse("mnt/read", FUSE_REFUSES_READ, SIZE) ||
        !mount_fuse("mnt/good", FUSE_TAKES_DIRECT, SIZE))
        return;
    serve("@DIR@/mnt", "");
    unsigned count = 0;
    for (unsigned i = 0; i < 3; i++) {
        count += fetch_all("/open/f", i);
        count += fetch_all("/read/f", i);
        count += fetch_all("/good/f", i);
    }
    ck_assert_uint_eq(logged("buffered", count), count / 3 * 2);
    ck_assert_uint_eq(logged("direct", count), count / 3);
    ck_assert_uint_eq(warnings(), 2);
}
END_TEST

/* ---- a full disk ---- */

static void fill_up(const char *name)
{
    static const char block[4096];
    int fd = open(site_path("%s", name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    while (write(fd, block, sizeof block) > 0)
        ;
    ck_assert_int_eq(errno, ENOSPC);
    close(fd);
}

/* The log's disk is full: everybody is served, the error log says so once, and when there is room,
 * whole lines go on. */
START_TEST(log_disk_is_full)
{
    enum { REQUESTS = 300 };
    char text[2048];
    if (!mounts_enter() || !mount_plain("tmpfs", "full", "size=64k,mode=777"))
        return;
    site_write("html/a.txt", "hello\n");
    snprintf(text, sizeof text,
             "daemon off; worker_processes 1; pid logs/sluice.pid; error_log %s info;\nevents { }\nhttp {\n"
             "access_log full/access.log;\nserver { listen 127.0.0.1:@PORT@; root @DIR@/html; } }",
             _i ? "full/error.log" : "logs/error.log");
    site_conf(text);
    site_start();
    fill_up("full/filler");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    for (int i = 0; i < REQUESTS; i++) {
        client_say(&c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", i % 2 ? "/none" : "/a.txt");
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, i % 2 ? 404 : 200);
        site_response_free(&r);
        if (i % 50 == 0)
            sleep_msec(25); /* the writer has its turn, more than once */
    }
    if (!_i)
        free(log_await("logs/error.log", "access.log\" were dropped (28: No space left on device)"));
    ck_assert_int_eq(unlink(site_path("full/filler")), 0);
    client_say(&c, "GET /a.txt?later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    site_response_free(&r);
    client_close(&c);
    char *log = log_await("full/access.log", "?later");
    const char *start = site_text("@PEER@ - - [");
    for (char *line = log, *end; (end = strchr(line, '\n')); line = end + 1)
        ck_assert_msg(end == line || !strncmp(line, start, strlen(start)) || strchr(line, ' ') > end, "%.*s",
                      (int)(end - line), line);
    free(log);
    site_stop(SIGQUIT);
    log = site_read(_i ? "full/error.log" : "logs/error.log", NULL);
    ck_assert_uint_le(count_text(log, "access.log\" were dropped"), 1);
    free(log);
}
END_TEST

/* ---- without a mount ---- */

/* Nothing of a small file is known, neither its name nor its content: the thread that opens it brings
 * both, so that no other read is needed. Without threads, the read is begun there and waited for
 * here. */
START_TEST(cold_name_and_content_take_one_trip)
{
    static const char *const confs[] = {"aio threads;", "aio threads; sendfile off;", "aio on;"};
    static const off_t sizes[] = {1, 8192, 60000, 128 * 1024};
    char conf[128], name[16];
    if (!mounts_enter() || !make_ext4(512))
        return;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(name, sizeof name, "mnt/s%zu", i);
        site_pattern(name, sizes[i]);
    }
    mount_end("mnt");
    if (!mount_image("ext4", "mnt", site_path("image"), 512, false, ""))
        return;
    snprintf(conf, sizeof conf, "%s location = /status { status; }", confs[_i]);
    serve("@DIR@/mnt", conf);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct site_response r;
        snprintf(name, sizeof name, "/s%zu", i);
        site_get(&r, name);
        ck_assert_int_eq(r.status, 200);
        ck_assert_uint_eq(r.len, (size_t)sizes[i]);
        assert_pattern(r.body, r.len, 0);
        site_response_free(&r);
    }
    double reads = site_metric("sluice_disk_reads_total");
    ck_assert_msg(_i == 2 || reads == 0, "%s: %.0f reads after the opens", confs[_i], reads);
    ck_assert_msg(reads <= 4, "%s: %.0f reads", confs[_i], reads);
}
END_TEST

enum refusal { AT_OPEN, AT_READ, UNCACHED_TOO, REFUSALS };

/* preadv2's flags: behind the offset, which takes two arguments. */
static bool refuse(enum refusal what)
{
    if (what == AT_READ) /* of threads, but not those of the dynamic linker; what follows is preadv2 */
        return deny_from(SYS_pread64, 2, 65536, EINVAL);
    if (!deny_flag(SYS_openat, 2, O_DIRECT, EINVAL) || !deny_set_flag(O_DIRECT, EINVAL))
        return false;
    return what != UNCACHED_TOO || deny_flag(SYS_preadv2, 5, RWF_DONTCACHE, EOPNOTSUPP);
}

/* On the disk that is here, to which RWF_DONTCACHE may be known. */
START_TEST(refused)
{
    char path[4096];
    if (!*site_disk()) {
        printf("skipped: no filesystem with O_DIRECT\n");
        return;
    }
    snprintf(path, sizeof path, "%s", site_pattern(site_path("%s/data/f", site_disk()), SIZE));
    bool uncached = pages_can_be_uncached(path), cold = pages_evict(path);
    if (_i == AT_READ && !uncached) {
        printf("skipped: no RWF_DONTCACHE here\n");
        return;
    }
    if (!refuse((enum refusal)_i))
        return;
    serve("@DISK@/data", "aio threads;");
    unsigned count = fetch_all("/f", 3);
    ck_assert_uint_eq(logged("buffered", count), count);
    ck_assert_uint_eq(warnings(), 1);
    if (cold && uncached && _i != UNCACHED_TOO)
        ck_assert_msg(pages_resident(path) == 0, "%zu pages are in memory", pages_resident(path));
}
END_TEST

Suite *suite_mounts(void)
{
    Suite *s = suite_create("mounts");
    if (on_nginx())
        return s;
    TCase *t = site_case(s, "mounts", 60);
    tcase_add_loop_test(t, filesystem, 0, sizeof kinds / sizeof *kinds);
    tcase_add_test(t, one_warning_per_filesystem);
    tcase_add_loop_test(t, cold_name_and_content_take_one_trip, 0, 3);
    tcase_add_loop_test(t, log_disk_is_full, 0, 2);
    tcase_add_loop_test(t, refused, 0, REFUSALS);
    return s;
}
