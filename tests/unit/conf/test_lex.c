/* test_lex.c - tokens by nginx's rules. */
#include "conf/lex.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

/* Tokens as text: words in <>, or in <""> when quoted; the rest as they are. */
static void check_len(const char *bytes, size_t len, const char *expected)
{
    char got[512] = "";
    size_t at = 0;
    struct arena arena;
    struct lex lx;
    struct lex_token t;
    char *exact = malloc(len + 1); /* so that a sanitizer sees a read behind the end */
    memcpy(exact, bytes, len);
    char *input = realloc(exact, len ? len : 1);
    arena_init(&arena, 1024);
    lex_init(&lx, (struct text){input, len}, &arena);
    do {
        t = lex_next(&lx);
        const char *marks[] = {"", ";", "{", "}", "$", "!"};
        if (t.kind == LEX_WORD) {
            ck_assert_int_eq(t.word.at[t.word.len], '\0');
            at += (size_t)snprintf(got + at, sizeof got - at, t.quoted ? "<\"%s\">" : "<%s>", t.word.at);
        } else {
            at += (size_t)snprintf(got + at, sizeof got - at, "%s", marks[t.kind]);
        }
    } while (t.kind != LEX_END && t.kind != LEX_ERROR);
    if (t.kind == LEX_ERROR)
        snprintf(got + at, sizeof got - at, "%u:%s", t.line, lx.error);
    ck_assert_str_eq(got, expected);
    arena_fini(&arena);
    free(input);
}

static void check(const char *bytes, const char *expected)
{
    check_len(bytes, strlen(bytes), expected);
}

START_TEST(test_words)
{
    check("", "$");
    check(" \t\r\n", "$");
    check("root /a;", "<root></a>;$");
    check("a{b;}c", "<a>{<b>;}<c>$");
    check("a b}c;", "<a><b}c>;$");
    check("a;;{}}", "<a>;;{}}$");
    check("a#b #c ; {\nd", "<a#b><d>$");
    check("#only", "$");
    check("#a\n#b\nc;", "<c>;$");
}
END_TEST

START_TEST(test_quotes)
{
    check("\"a b\" 'c;{}d'", "<\"a b\"><\"c;{}d\">$");
    check("\"\" ''", "<\"\"><\"\">$");
    check("\"a'b\" 'a\"b'", "<\"a'b\"><\"a\"b\">$");
    check("\"a\";'b'{\"c\"\n}", "<\"a\">;<\"b\">{<\"c\">}$");
    check("if ($a = \"b\") {", "<if><($a><=><\"b\"><)>{$");
    check("a\"b\"c", "<a\"b\"c>$");
    check("\"a\nb\" c", "<\"a\nb\"><c>$");
}
END_TEST

START_TEST(test_escapes)
{
    check("\"a\\\"b\" 'a\\'b' a\\\\b", "<\"a\"b\"><\"a'b\"><a\\b>$");
    check("a\\tb\\rc\\nd", "<a\tb\rc\nd>$");
    check("\\.php$ a\\ b \\;", "<\\.php$><a\\ b><\\;>$");
    check("a\\", "<a\\>$");
    check("\\", "<\\>$");
}
END_TEST

START_TEST(test_variables)
{
    check("${a}b{", "<${a}b>{$");
    check("x${a}${b};", "<x${a}${b}>;$");
    check("a$b{c", "<a$b>{<c>$");
    check("a$;", "<a$>;$");
    check("\"$\"{", "<\"$\">{$");
}
END_TEST

START_TEST(test_errors)
{
    check("\"a\"b", "!1:unexpected \"b\"");
    check("'a'\"b\"", "!1:unexpected \"\"\"");
    check("'a'}", "!1:unexpected \"}\"");
    check("\n'a'\1", "!2:unexpected byte \"\\x01\"");
    check("a\n\"b\n", "<a>!3:unexpected end of file, expecting \";\" or \"}\"");
    check("'a\\", "!1:unexpected end of file, expecting \";\" or \"}\"");
    check_len("a\0b;", 4, "!1:unexpected byte \"\\x00\"");
    check_len("\"\0\"", 3, "!1:unexpected byte \"\\x00\"");
    check_len("a\\\0;", 4, "!1:unexpected byte \"\\x00\"");
    check_len("#\0\na", 4, "<a>$");
}
END_TEST

START_TEST(test_too_long)
{
    char text[5000];
    memset(text, 'a', sizeof text);
    check_len(text, 5000, "!1:too long parameter \"aaaaaaaaaa...\" started");
    text[0] = '"';
    check_len(text, 5000, "!1:too long parameter, probably missing terminating \"\"\" character");
    text[0] = '\'';
    text[1] = '\n';
    check_len(text, 5000, "!1:too long parameter, probably missing terminating \"'\" character");

    struct arena arena; /* as long as may be */
    struct lex lx;
    memset(text, 'a', sizeof text);
    text[4095] = ' ';
    arena_init(&arena, 1024);
    lex_init(&lx, (struct text){text, 4097}, &arena);
    struct lex_token t = lex_next(&lx);
    ck_assert_int_eq(t.kind, LEX_WORD);
    ck_assert_uint_eq(t.word.len, 4095);
    arena_fini(&arena);
}
END_TEST

START_TEST(test_lines)
{
    struct arena arena;
    struct lex lx;
    unsigned expected[] = {1, 3, 6, 6, 7};
    arena_init(&arena, 1024);
    lex_init(&lx, TEXT("a #\n\nb\n# ;\n\"c\nd\" ;\n}"), &arena);
    for (unsigned i = 0; i < 5; i++)
        ck_assert_uint_eq(lex_next(&lx).line, expected[i]);
    arena_fini(&arena);
}
END_TEST

Suite *suite_conf_lex(void)
{
    Suite *s = suite_create("conf/lex");
    TCase *t = tcase_create("lex");
    tcase_add_test(t, test_words);
    tcase_add_test(t, test_quotes);
    tcase_add_test(t, test_escapes);
    tcase_add_test(t, test_variables);
    tcase_add_test(t, test_errors);
    tcase_add_test(t, test_too_long);
    tcase_add_test(t, test_lines);
    suite_add_tcase(s, t);
    return s;
}
