/* fuzz_conditional.c - Range and the conditional fields against a file of any size and age.
 *
 * Input: nine bytes (size, max_ranges, options), then lines: Range, If-Range, If-Match,
 * If-None-Match, If-Modified-Since, If-Unmodified-Since, the file's entity tag. */
#include "fuzz.h"

#include "base/clock.h"
#include "http/syntax/precondition.h"
#include "http/syntax/range.h"

static const enum field lines[] = {FIELD_RANGE,         FIELD_IF_RANGE,          FIELD_IF_MATCH,
                                   FIELD_IF_NONE_MATCH, FIELD_IF_MODIFIED_SINCE, FIELD_IF_UNMODIFIED_SINCE};
enum { LINES = sizeof lines / sizeof *lines };

/* Small, round, huge: `pick` chooses the order of magnitude. */
static off_t size_of(unsigned pick, uint32_t value)
{
    switch (pick % 4) {
    case 0:
        return value % 16;
    case 1:
        return value % 65536;
    case 2:
        return (off_t)value << 20;
    default:
        return INT64_MAX - (off_t)(value % 4);
    }
}

static void check_range(struct text value, off_t size, int most)
{
    struct range *ranges = malloc(RANGE_MOST * sizeof *ranges);
    unsigned count = 0;
    uint64_t sum = 0;

    if (!ranges)
        abort();
    enum range_result result = range_parse(value, size, most, ranges, &count);
    if (result == RANGE_SATISFIABLE) {
        FUZZ_CHECK(count >= 1 && count <= RANGE_MOST, "%u ranges", count);
        FUZZ_CHECK(most < 0 || count <= (unsigned)most, "%u ranges, %d allowed", count, most);
        for (unsigned i = 0; i < count; i++) {
            FUZZ_CHECK(ranges[i].start >= 0 && ranges[i].start < ranges[i].end && ranges[i].end <= size,
                       "[%jd, %jd) of %jd", (intmax_t)ranges[i].start, (intmax_t)ranges[i].end, (intmax_t)size);
            sum += (uint64_t)(ranges[i].end - ranges[i].start);
        }
        FUZZ_CHECK(sum <= (uint64_t)size, "more than the whole file");
    }
    if (most == 0)
        FUZZ_CHECK(result == RANGE_IGNORE, "ranges are off");
    free(ranges);
}

/* What one date format writes, every reader must read as the same second. */
static void check_date(struct text value)
{
    char written[CLOCK_HTTP_LEN + 1];
    time_t date, again;

    if (clock_parse_http(value, &date) < 0)
        return;
    clock_format_http(written, date);
    FUZZ_CHECK(strlen(written) == CLOCK_HTTP_LEN, "\"%s\" for %jd", written, (intmax_t)date);
    FUZZ_CHECK(clock_parse_http(text_of(written), &again) == 0 && again == date, "\"%s\" is not %jd", written,
               (intmax_t)date);
}

static bool is_weak(struct text tag)
{
    return text_starts(tag, TEXT("W/"));
}

static void check_conditions(const struct message *m, const struct validators *v, int mode)
{
    enum precondition result = precondition_check(m, v, mode);
    bool reads = m->method == METHOD_GET || m->method == METHOD_HEAD;
    struct text match = m->fields[FIELD_IF_MATCH], range = m->fields[FIELD_IF_RANGE];

    if (result == PRECONDITION_NOT_MODIFIED)
        FUZZ_CHECK(reads && (m->fields[FIELD_IF_NONE_MATCH].at || m->fields[FIELD_IF_MODIFIED_SINCE].at),
                   "304 without a condition that asks for it");
    if (result == PRECONDITION_FAILED)
        FUZZ_CHECK(match.at || m->fields[FIELD_IF_UNMODIFIED_SINCE].at || (!reads && m->fields[FIELD_IF_NONE_MATCH].at),
                   "412 without a condition that asks for it");
    if (match.at && v->etag.at && is_weak(v->etag) && !text_equal(match, TEXT("*")))
        FUZZ_CHECK(result == PRECONDITION_FAILED, "a weak tag matched strongly");
    if (range.at && text_ends(range, TEXT("\"")) && (is_weak(range) || (v->etag.at && is_weak(v->etag))))
        FUZZ_CHECK(!precondition_if_range(m, v), "a weak tag matched strongly in If-Range");
    if (!range.at)
        FUZZ_CHECK(precondition_if_range(m, v), "no If-Range");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint32_t number = 0;
    unsigned pick = fuzz_byte(&in), options = fuzz_byte(&in);
    int most = (int)fuzz_byte(&in) - 1;
    for (int i = 0; i < 4; i++)
        number = number << 8 | fuzz_byte(&in);
    time_t modified = 784111777 + (int)fuzz_byte(&in) - 128;
    int mode = (int)(fuzz_byte(&in) % 3);
    struct message m = {.method = options & 2 ? METHOD_POST : options & 4 ? METHOD_HEAD : METHOD_GET};
    char *copies[LINES + 1];

    for (int i = 0; i < LINES; i++) {
        struct text t = fuzz_line(&in);
        copies[i] = fuzz_copy(t.at, t.len);
        if (t.at && (t.len > 0 || options & 8)) /* an empty line: an absent field, or an empty one */
            m.fields[lines[i]] = text_trim((struct text){copies[i], t.len});
        check_date((struct text){copies[i], t.len});
    }
    struct text tag = fuzz_line(&in);
    copies[LINES] = fuzz_copy(tag.at, tag.len);
    struct validators v = {.dated = !(options & 1), .modified = modified, .sent_first = 1}; /* none sent otherwise */
    if (tag.len > 2 && text_ends(tag, TEXT("\"")))
        v.etag = (struct text){copies[LINES], tag.len};
    if (m.fields[FIELD_RANGE].at)
        check_range(m.fields[FIELD_RANGE], size_of(pick, number), most);
    check_conditions(&m, &v, mode);
    for (int i = 0; i <= LINES; i++)
        free(copies[i]);
    return 0;
}
