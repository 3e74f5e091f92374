/* test_access_rules.c - which rule fits an address: by hand, and thousands of random ones against a
 * search one by one. */
#include "unit.h"

#include "http/access/access_rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

static struct arena arena;
static struct access_rules *rules;

static void setup(void)
{
    arena_init(&arena, 16384);
    rules = access_rules_create(&arena);
}

static void teardown(void)
{
    arena_fini(&arena);
}

static int add(const char *text, bool deny)
{
    struct access_rule *rule = arena_zalloc(&arena, sizeof *rule);
    *rule = (struct access_rule){.deny = deny, .text = text_of(arena_strdup(&arena, text))};
    return access_rules_add(rules, rule, &arena);
}

/* The text of the rule that fits; "-": none. */
static const char *find(const char *host)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
    } peer = {.any.sa_family = AF_UNIX};

    if (inet_pton(AF_INET, host, &peer.in4.sin_addr) == 1)
        peer.any.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, host, &peer.in6.sin6_addr) == 1)
        peer.any.sa_family = AF_INET6;
    const struct access_rule *rule = access_rules_find(rules, &peer.any);
    return rule ? rule->text.at : "-";
}

START_TEST(by_hand)
{
    static const char *const texts[] = {"192.0.2.7",       "192.0.2.0/24", "192.0.2.7/32",  "10.0.0.0/8",
                                        "10.1.0.0/16",     "::1",          "2001:db8::/32", "2001:db8::1",
                                        "255.255.255.255", "ffff::/16",    "unix:"};
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_int_eq(add(texts[i], false), 0);
    ck_assert_int_eq(access_rules_finish(rules, &arena), 0);
    ck_assert_int_eq(access_rules_finish(rules, &arena), 0);
    ck_assert_str_eq(find("192.0.2.7"), "192.0.2.7");
    ck_assert_str_eq(find("192.0.2.6"), "192.0.2.0/24");
    ck_assert_str_eq(find("192.0.2.8"), "192.0.2.0/24");
    ck_assert_str_eq(find("192.0.1.255"), "-");
    ck_assert_str_eq(find("192.0.3.0"), "-");
    ck_assert_str_eq(find("10.1.2.3"), "10.0.0.0/8"); /* the first, not the longest */
    ck_assert_str_eq(find("::ffff:10.1.2.3"), "10.0.0.0/8");
    ck_assert_str_eq(find("::10.1.2.3"), "-");
    ck_assert_str_eq(find("::1"), "::1");
    ck_assert_str_eq(find("::2"), "-");
    ck_assert_str_eq(find("2001:db8::1"), "2001:db8::/32");
    ck_assert_str_eq(find("2001:db9::"), "-");
    ck_assert_str_eq(find("255.255.255.255"), "255.255.255.255");
    ck_assert_str_eq(find("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), "ffff::/16");
    ck_assert_str_eq(find("0.0.0.0"), "-");
    ck_assert_str_eq(find("unix"), "unix:");
}
END_TEST

START_TEST(all_is_everybody_from_there_on)
{
    add("192.0.2.1", true);
    add("all", false);
    add("10.0.0.0/8", true);
    add("unix:", true);
    access_rules_finish(rules, &arena);
    ck_assert_str_eq(find("192.0.2.1"), "192.0.2.1");
    ck_assert_str_eq(find("10.0.0.1"), "all");
    ck_assert_str_eq(find("255.255.255.255"), "all");
    ck_assert_str_eq(find("::"), "all");
    ck_assert_str_eq(find("unix"), "all");
}
END_TEST

START_TEST(none_at_all)
{
    access_rules_finish(rules, &arena);
    ck_assert_str_eq(find("192.0.2.1"), "-");
    ck_assert_str_eq(find("::"), "-");
    ck_assert_str_eq(find("unix"), "-");
}
END_TEST

static const struct {
    const char *text;
    int rc;
} words[] = {
    {"10.0.0.0/0", 1},
    {"0.0.0.0/0", 0},
    {"10.0.0.1/0", 1},
    {"10.0.0.1/8", 1},
    {"::/0", 0},
    {"2001:db8::/129", -EINVAL},
    {"2001:db8::1/64", 1},
    {"2001:db8::1/127", 1},
    {"10.0.0.0/33", -EINVAL},
    {"10.0.0.0/", -EINVAL},
    {"10.0.0.0/-1", -EINVAL},
    {"10.0.0.0/8x", -EINVAL},
    {"10.0.0", -EINVAL},
    {"", -EINVAL},
    {"/8", -EINVAL},
    {"[::1]", -EINVAL},
    {"localhost", -EINVAL},
    {"unix:/s", -EINVAL},
    {"ALL", -EINVAL},
    {"10.0.0.0/18446744073709551616", -EINVAL},
    {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc/1", -EINVAL},
};

START_TEST(what_a_rule_may_be)
{
    ck_assert_int_eq(add(words[_i].text, true), words[_i].rc);
}
END_TEST

/* Few different bits, so that networks lie in each other often; the same ones come again, too. */
START_TEST(random_ones)
{
    enum { RULES = 300, LOOKUPS = 4000 };
    struct {
        uint32_t from, mask;
        char text[32];
    } list[RULES];
    char host[32];
    srand((unsigned)_i);
    for (unsigned i = 0; i < RULES; i++) {
        unsigned bits = (unsigned)rand() % (_i % 2 ? 33 : 13) + (_i % 2 ? 0 : 20);
        list[i].mask = bits == 0 ? 0 : UINT32_MAX << (32 - bits);
        list[i].from = ((uint32_t)rand() & 0xf0003fffU) & list[i].mask;
        uint32_t a = list[i].from;
        snprintf(list[i].text, sizeof list[i].text, "%u.%u.%u.%u/%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255,
                 bits);
        ck_assert_int_eq(add(list[i].text, true), 0);
    }
    ck_assert_int_eq(access_rules_finish(rules, &arena), 0);
    for (unsigned k = 0; k < LOOKUPS; k++) {
        const unsigned at = (unsigned)rand() % RULES;
        uint32_t a = k % 3 == 0   ? (uint32_t)rand() & 0xf0003fffU
                     : k % 3 == 1 ? list[at].from - (uint32_t)rand() % 2
                                  : (list[at].from | ~list[at].mask) + (uint32_t)rand() % 2;
        const char *want = "-";
        for (unsigned i = 0; i < RULES; i++)
            if ((a & list[i].mask) == list[i].from) {
                want = list[i].text;
                break;
            }
        snprintf(host, sizeof host, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
        ck_assert_str_eq(find(host), want);
    }
}
END_TEST

Suite *suite_http_access_rules(void)
{
    Suite *s = suite_create("http_access_rules");
    TCase *tc = tcase_create("access_rules");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, by_hand);
    tcase_add_test(tc, all_is_everybody_from_there_on);
    tcase_add_test(tc, none_at_all);
    tcase_add_loop_test(tc, what_a_rule_may_be, 0, sizeof words / sizeof *words);
    tcase_add_loop_test(tc, random_ones, 0, 40);
    suite_add_tcase(s, tc);
    return s;
}
