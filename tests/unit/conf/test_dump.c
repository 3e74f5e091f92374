/* test_dump.c - what -T prints, and the reference of all directives. */
#include "sample.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

START_TEST(test_files)
{
    unit_write("more", "sendfile on;", 12);
    const char *path = unit_write("main", "http { include more; server { include more; } }\n", 48);
    struct conf_result *r = sample_read_file(path, NULL);
    ck_assert_ptr_null(r->error);
    struct buffer out;
    char expected[1024];
    buffer_init(&out);
    conf_dump_files(r, &out);
    char *text = buffer_steal(&out, NULL);
    snprintf(expected, sizeof expected,
             "# configuration file %s:\nhttp { include more; server { include more; } }\n\n"
             "# configuration file %s:\nsendfile on;\n",
             path, unit_path("more"));
    ck_assert_str_eq(text, expected);
    free(text);
    sample_done();
}
END_TEST

START_TEST(test_reference)
{
    static const char *const parts[] = {
        "# Directives\n",
        "\n## Main\n",
        ("\n### worker_processes\n\n- Syntax: `worker_processes number;`\n- Default: `worker_processes 1;`\n"
         "- Context: main\n\nHow many workers.\n\nUnlike nginx: 1 is enough.\n"),
        "- Syntax: `events { ... }`\n- Default: none\n",
        "- Syntax: `sendfile on | off;`\n- Default: `sendfile on;`\n- Context: http, server, location\n",
        "- Syntax: `tokens off | on | build;`\n",
        "- Syntax: `bufs number size;`\n- Default: `bufs 2 32k;`\n",
        "- Syntax: `location value { ... }`\n",
        "- Syntax: `repeat;`\n",
        "\n\nTypes.\n",
        "[sendfile](#sendfile)",
        "it has no effect",
    };
    struct buffer out;
    buffer_init(&out);
    conf_dump_reference(sample_modules, NULL, &out);
    char *text = buffer_steal(&out, NULL);
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++)
        ck_assert_msg(strstr(text, parts[i]), "no \"%s\" in:\n%s", parts[i], text);
    free(text);
}
END_TEST

Suite *suite_conf_dump(void)
{
    Suite *s = suite_create("conf/dump");
    TCase *t = tcase_create("dump");
    tcase_add_test(t, test_files);
    tcase_add_test(t, test_reference);
    suite_add_tcase(s, t);
    return s;
}
