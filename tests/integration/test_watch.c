/* test_watch.c - reload_on_change: files of the configuration change as editors, scripts and the
 * kubelet change them, and nobody sends a signal. */
#include "harness.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char conf[] = "daemon off; pid off; error_log logs/error.log notice; reload_on_change %s;\n"
                           "events { worker_connections 64; }\n"
                           "http { @HTTP@ server { listen 127.0.0.1:@PORT@; location = /main { return 200 %s; } "
                           "include %s; } }";

static void configure(const char *on, const char *says, const char *include)
{
    char whole[2048];

    snprintf(whole, sizeof whole, conf, on, says, include);
    site_conf(whole);
}

static void write_location(const char *file, const char *target, const char *says)
{
    char text[256];

    snprintf(text, sizeof text, "location = %s { return 200 %s; }\n", target, says);
    site_write(file, text);
}

static void await_body(const char *target, const char *body)
{
    for (int64_t deadline = now_msec() + scaled(20000);; sleep_msec(5)) {
        struct site_response r;

        site_get(&r, target);
        bool is = strcmp(r.body, body) == 0;
        ck_assert_msg(is || now_msec() < deadline, "%s: \"%s\", not \"%s\"", target, r.body, body);
        site_response_free(&r);
        if (is)
            return;
    }
}

static void await_line(const char *text, unsigned count)
{
    free(log_await_count("logs/error.log", text, count));
}

static void rename_in_site(const char *from, const char *to)
{
    char old[512];

    snprintf(old, sizeof old, "%s", site_path("%s", from));
    ck_assert_int_eq(rename(old, site_path("%s", to)), 0);
}

/* ---- ways to change a file ---- */

START_TEST(edited_in_place)
{
    write_location("a.conf", "/a", "one");
    configure("on", "one", "a.conf");
    site_start();
    expect_body("/main", "one");
    configure("on", "two", "a.conf");
    await_body("/main", "two");
    write_location("a.conf", "/a", "two");
    await_body("/a", "two");
}
END_TEST

START_TEST(replaced_by_a_renamed_file)
{
    write_location("a.conf", "/a", "one");
    configure("on", "one", "a.conf");
    site_start();
    for (unsigned i = 0; i < 2; i++) {
        write_location("a.conf.new", "/a", i ? "three" : "two");
        rename_in_site("a.conf.new", "a.conf");
        await_body("/a", i ? "three" : "two");
    }
}
END_TEST

START_TEST(added_to_a_pattern_and_removed)
{
    site_mkdir("conf.d");
    configure("on", "one", "conf.d/*.conf");
    site_start();
    write_location("conf.d/b.conf", "/b", "here");
    await_body("/b", "here");
    unlink(site_path("conf.d/b.conf"));
    for (int64_t deadline = now_msec() + scaled(20000); site_status_of("/b") != 404; sleep_msec(5))
        ck_assert(now_msec() < deadline);
}
END_TEST

/* What is wrong is told, and changes nothing; what puts it right is heard, too. */
START_TEST(broken_and_mended)
{
    write_location("a.conf", "/a", "one");
    configure("on", "one", "a.conf");
    site_start();
    site_allow_alerts();
    site_write("a.conf", "locatoin /a { }\n");
    await_line("unknown directive \"locatoin\"", 1);
    expect_body("/a", "one");
    unlink(site_path("a.conf"));
    await_line("a.conf\" failed (2: No such file or directory)", 1);
    expect_body("/a", "one");
    write_location("a.conf", "/a", "two");
    await_body("/a", "two");
}
END_TEST

/* ---- a ConfigMap ---- */

/* A generation as the kubelet writes it: a folder of its own, and a link to it that takes the place
 * of the one before in one step. */
static void publish(unsigned generation)
{
    char file[64], says[16], folder[16];

    snprintf(folder, sizeof folder, "..2026_%u", generation);
    snprintf(file, sizeof file, "map/%s", folder);
    site_mkdir(file);
    snprintf(file, sizeof file, "map/%s/site.conf", folder);
    snprintf(says, sizeof says, "%u", generation);
    write_location(file, "/map", says);
    ck_assert_int_eq(symlink(folder, site_path("map/..data_tmp")), 0);
    rename_in_site("map/..data_tmp", "map/..data");
}

static void remove_generation(unsigned generation)
{
    ck_assert_int_eq(unlink(site_path("map/..2026_%u/site.conf", generation)), 0);
    ck_assert_int_eq(rmdir(site_path("map/..2026_%u", generation)), 0);
}

/* By name, and by a pattern. */
static const char *const includes[] = {"map/site.conf", "map/*.conf"};

START_TEST(a_config_map_is_switched)
{
    site_mkdir("map");
    publish(1);
    ck_assert_int_eq(symlink("..data/site.conf", site_path("map/site.conf")), 0);
    configure("on", "one", includes[_i]);
    site_start();
    for (unsigned generation = 2; generation <= 3; generation++) {
        publish(generation);
        remove_generation(generation - 1);
        char says[16];
        snprintf(says, sizeof says, "%u", generation);
        await_body("/map", says);
    }
}
END_TEST

/* All of it is one: the main file is a link, too. */
START_TEST(the_main_file_is_in_a_config_map)
{
    site_mkdir("one");
    site_mkdir("two");
    configure("on", "one", "a.conf");
    rename_in_site("sluice.conf", "one/sluice.conf");
    configure("on", "two", "a.conf");
    rename_in_site("sluice.conf", "two/sluice.conf");
    write_location("a.conf", "/a", "one");
    ck_assert_int_eq(symlink("one", site_path("..data")), 0);
    ck_assert_int_eq(symlink("..data/sluice.conf", site_path("sluice.conf")), 0);
    site_start();
    expect_body("/main", "one");
    ck_assert_int_eq(symlink("two", site_path("..data_tmp")), 0);
    rename_in_site("..data_tmp", "..data");
    await_body("/main", "two");
}
END_TEST

/* ---- where it is not on ---- */

static unsigned watches(pid_t pid)
{
    char folder[64], path[512], target[64];
    unsigned count = 0;

    snprintf(folder, sizeof folder, "/proc/%d/fd", (int)pid);
    DIR *d = opendir(folder);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d));) {
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        ssize_t n = readlink(path, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        count += strcmp(target, "anon_inode:inotify") == 0;
    }
    closedir(d);
    return count;
}

/* A reload switches it on and off; workers have nothing of it. */
START_TEST(switched_by_a_reload)
{
    write_location("a.conf", "/a", "one");
    configure("off", "one", "a.conf");
    site_start();
    ck_assert_uint_eq(watches(site_pid()), 0);
    configure("on", "two", "a.conf");
    site_kill(SIGHUP);
    await_body("/main", "two");
    ck_assert_uint_eq(watches(site_pid()), 1);
    ck_assert_uint_eq(watches(site_worker()), 0);
    configure("off", "three", "a.conf");
    await_body("/main", "three");
    await_line("reconfiguring", 2);
    site_await_workers(1);
    configure("off", "four", "a.conf");
    site_kill(SIGHUP);
    await_body("/main", "four");
    ck_assert_uint_eq(watches(site_pid()), 0);
}
END_TEST

Suite *suite_watch(void)
{
    Suite *s = suite_create("watch");
    TCase *t = site_case(s, "watch", 60);

    if (on_nginx())
        return s;
    tcase_add_test(t, edited_in_place);
    tcase_add_test(t, replaced_by_a_renamed_file);
    tcase_add_test(t, added_to_a_pattern_and_removed);
    tcase_add_test(t, broken_and_mended);
    tcase_add_loop_test(t, a_config_map_is_switched, 0, 2);
    tcase_add_test(t, the_main_file_is_in_a_config_map);
    tcase_add_test(t, switched_by_a_reload);
    return s;
}
