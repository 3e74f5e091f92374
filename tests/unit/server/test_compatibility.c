/* test_compatibility.c - every directive of nginx that mk/nginx-directives.txt lists is a row, or
 * is refused by foreign.c with what to do; and what is a row is not refused. */
#include "unit.h"

#include "server/conf/foreign.h"
#include "server/process/modules.h"

#include <stdio.h>
#include <string.h>

static bool is_row(const char *name)
{
    for (unsigned m = 0; server_modules[m]; m++)
        for (const struct conf_row *row = server_modules[m]->rows; row && row->name; row++)
            if (strcmp(row->name, name) == 0)
                return true;
    return strcmp(name, "include") == 0;
}

static bool is_foreign(const char *name)
{
    for (const struct conf_foreign *f = server_foreign; f->name; f++) {
        size_t len = strlen(f->name);
        if (f->name[len - 1] == '*' ? strncmp(f->name, name, len - 1) == 0 : strcmp(f->name, name) == 0)
            return true;
    }
    return false;
}

START_TEST(test_all_are_known)
{
    char line[512];
    unsigned count = 0;
    FILE *list = fopen("mk/nginx-directives.txt", "r");
    ck_assert_ptr_nonnull(list);
    while (fgets(line, sizeof line, list)) {
        if (line[0] != ' ')
            continue;
        char *rest = line;
        for (char *name; (name = strtok_r(rest, " \n", &rest)); count++)
            ck_assert_msg(is_row(name) || is_foreign(name),
                          "\"%s\" has no row, and src/server/conf/foreign.c does not say why", name);
    }
    fclose(list);
    ck_assert_uint_gt(count, 200);
}
END_TEST

Suite *suite_server_compatibility(void)
{
    Suite *s = suite_create("server/compatibility");
    TCase *t = tcase_create("list");
    tcase_add_test(t, test_all_are_known);
    suite_add_tcase(s, t);
    return s;
}
