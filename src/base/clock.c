/* clock.c - the cached time of the loop, and dates as HTTP and the logs write them.
 *
 * The HTTP date is done by arithmetic: it also stands in Last-Modified and needs neither locale nor
 * time zone. */
#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>

struct clock clock_now;

static _Thread_local bool mine;

static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Writes the `width` lowest decimal digits of `value`. */
static char *put_digits(char *out, unsigned value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        out[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return out + width;
}

static char *put(char *out, const char *bytes, size_t len)
{
    memcpy(out, bytes, len);
    return out + len;
}

static char *put_time(char *out, int hour, int min, int sec)
{
    out = put_digits(out, (unsigned)hour, 2);
    *out++ = ':';
    out = put_digits(out, (unsigned)min, 2);
    *out++ = ':';
    return put_digits(out, (unsigned)sec, 2);
}

struct date {
    int64_t year;
    unsigned month, day; /* from 1 */
};

/* Days since 1970-01-01 to a date of the Gregorian calendar and back, for every year. Years are
 * counted from March, so that the leap day is the last one, in eras of 400 years. */
static struct date date_of_days(int64_t count)
{
    int64_t z = count + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    unsigned month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    return (struct date){yoe + era * 400 + (month <= 2), month, (unsigned)(doy - (153 * mp + 2) / 5 + 1)};
}

static int64_t days_of_date(struct date d)
{
    int64_t y = d.year - (d.month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t mp = d.month > 2 ? d.month - 3 : d.month + 9;
    int64_t doy = (153 * mp + 2) / 5 + d.day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

time_t clock_within_http(time_t t)
{
    static const time_t first = -62167219200, last = 253402300799; /* of the years 0000 and 9999 */
    return t < first ? first : t > last ? last : t;
}

time_t clock_add(time_t base, int64_t sec)
{
    int64_t sum;
    if (__builtin_add_overflow((int64_t)base, sec, &sum))
        sum = sec < 0 ? INT64_MIN : INT64_MAX;
    return clock_within_http((time_t)sum);
}

void clock_format_http(char out[CLOCK_HTTP_LEN + 1], time_t t)
{
    t = clock_within_http(t);
    int64_t count = t / 86400;
    int rest = (int)(t % 86400);
    if (rest < 0) {
        rest += 86400;
        count--;
    }
    struct date d = date_of_days(count);
    int64_t weekday = (count % 7 + 11) % 7; /* day 0 was a Thursday */

    char *p = put(out, days[weekday], 3);
    p = put(p, ", ", 2);
    p = put_digits(p, d.day, 2);
    *p++ = ' ';
    p = put(p, months[d.month - 1], 3);
    *p++ = ' ';
    p = put_digits(p, (unsigned)d.year, 4);
    *p++ = ' ';
    p = put_time(p, rest / 3600, rest / 60 % 60, rest % 60);
    memcpy(p, " GMT", 5);
}

static void format_error(char *out, const struct tm *tm)
{
    char *p = put_digits(out, (unsigned)tm->tm_year + 1900, 4);
    *p++ = '/';
    p = put_digits(p, (unsigned)tm->tm_mon + 1, 2);
    *p++ = '/';
    p = put_digits(p, (unsigned)tm->tm_mday, 2);
    *p++ = ' ';
    *put_time(p, tm->tm_hour, tm->tm_min, tm->tm_sec) = '\0';
}

void clock_format_error(char out[CLOCK_ERROR_LEN + 1], time_t t)
{
    struct tm tm;
    localtime_r(&t, &tm);
    format_error(out, &tm);
}

static char *put_zone(char *p, const struct tm *tm, bool colon)
{
    unsigned minutes = (unsigned)labs(tm->tm_gmtoff / 60);
    *p++ = tm->tm_gmtoff < 0 ? '-' : '+';
    p = put_digits(p, minutes / 60, 2);
    if (colon)
        *p++ = ':';
    return put_digits(p, minutes % 60, 2);
}

static void format_log(char *out, const struct tm *tm)
{
    char *p = put_digits(out, (unsigned)tm->tm_mday, 2);
    *p++ = '/';
    p = put(p, months[tm->tm_mon], 3);
    *p++ = '/';
    p = put_digits(p, (unsigned)tm->tm_year + 1900, 4);
    *p++ = ':';
    p = put_time(p, tm->tm_hour, tm->tm_min, tm->tm_sec);
    *p++ = ' ';
    *put_zone(p, tm, false) = '\0';
}

static void format_iso8601(char *out, const struct tm *tm)
{
    char *p = put_digits(out, (unsigned)tm->tm_year + 1900, 4);
    *p++ = '-';
    p = put_digits(p, (unsigned)tm->tm_mon + 1, 2);
    *p++ = '-';
    p = put_digits(p, (unsigned)tm->tm_mday, 2);
    *p++ = 'T';
    p = put_time(p, tm->tm_hour, tm->tm_min, tm->tm_sec);
    *put_zone(p, tm, true) = '\0';
}

void clock_update(void)
{
    struct timespec mono, real;
    clock_gettime(CLOCK_MONOTONIC, &mono);
    clock_gettime(CLOCK_REALTIME, &real);
    clock_now.msec = (int64_t)mono.tv_sec * 1000 + mono.tv_nsec / 1000000;
    clock_now.sec_msec = (int)(real.tv_nsec / 1000000);
    if (clock_now.sec == real.tv_sec && mine)
        return;

    mine = true;
    clock_now.sec = real.tv_sec;
    struct tm tm;
    localtime_r(&real.tv_sec, &tm);
    clock_format_http(clock_now.http, real.tv_sec);
    format_log(clock_now.log, &tm);
    format_iso8601(clock_now.iso8601, &tm);
    format_error(clock_now.error, &tm);
}

bool clock_is_mine(void)
{
    return mine;
}

/* A cursor over a date; what does not match sets `bad`, and reading goes on harmlessly. */
struct cursor {
    struct text rest;
    bool bad;
};

static void expect(struct cursor *c, struct text literal)
{
    if (!text_starts(c->rest, literal)) {
        c->bad = true;
        return;
    }
    c->rest = text_from(c->rest, literal.len);
}

static unsigned take_digits(struct cursor *c, size_t width)
{
    unsigned value = 0;
    if (c->rest.len < width) {
        c->bad = true;
        return 0;
    }
    for (size_t i = 0; i < width; i++) {
        unsigned digit = (unsigned)(unsigned char)c->rest.at[i] - '0';
        if (digit > 9)
            c->bad = true;
        value = value * 10 + digit;
    }
    c->rest = text_from(c->rest, width);
    return value;
}

static unsigned take_month(struct cursor *c)
{
    for (unsigned i = 0; i < 12; i++) {
        if (text_starts(c->rest, (struct text){months[i], 3})) {
            c->rest = text_from(c->rest, 3);
            return i + 1;
        }
    }
    c->bad = true;
    return 1;
}

/* Skips the name of a day: "Sun" alone, or with the rest of "Sunday" into *is_long. */
static void take_weekday(struct cursor *c, bool *is_long)
{
    static const struct text tails[7] = {TEXT("day"),   TEXT("day"), TEXT("sday"), TEXT("nesday"),
                                         TEXT("rsday"), TEXT("day"), TEXT("urday")};
    for (unsigned i = 0; i < 7; i++) {
        if (!text_starts(c->rest, (struct text){days[i], 3}))
            continue;
        c->rest = text_from(c->rest, 3);
        *is_long = text_starts(c->rest, tails[i]);
        if (*is_long)
            c->rest = text_from(c->rest, tails[i].len);
        return;
    }
    c->bad = true;
}

struct time_of_day {
    unsigned hour, min, sec;
};

static struct time_of_day take_time(struct cursor *c)
{
    struct time_of_day t;
    t.hour = take_digits(c, 2);
    expect(c, TEXT(":"));
    t.min = take_digits(c, 2);
    expect(c, TEXT(":"));
    t.sec = take_digits(c, 2);
    return t;
}

/* RFC 9110, 5.6.7: what seems more than 50 years ahead is the past. */
static int64_t full_year(unsigned two_digits)
{
    int64_t this_year = date_of_days((clock_now.sec > 0 ? clock_now.sec : time(NULL)) / 86400).year;
    int64_t year = this_year - this_year % 100 + two_digits;
    return year > this_year + 50 ? year - 100 : year;
}

static bool date_exists(struct date d, struct time_of_day t)
{
    static const unsigned char lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (d.year % 4 == 0 && d.year % 100 != 0) || d.year % 400 == 0;
    unsigned length = d.month == 2 && leap ? 29 : lengths[d.month - 1];
    return d.day >= 1 && d.day <= length && t.hour <= 23 && t.min <= 59 && t.sec <= 60;
}

int clock_parse_http(struct text text, time_t *result)
{
    struct cursor c = {text, false};
    struct date d;
    struct time_of_day t;
    bool is_long = false;

    take_weekday(&c, &is_long);
    if (!text_starts(c.rest, TEXT(","))) { /* asctime: Sun Nov  6 08:49:37 1994 */
        expect(&c, TEXT(" "));
        d.month = take_month(&c);
        expect(&c, TEXT(" "));
        bool one_digit = text_starts(c.rest, TEXT(" "));
        if (one_digit)
            expect(&c, TEXT(" "));
        d.day = take_digits(&c, one_digit ? 1 : 2);
        expect(&c, TEXT(" "));
        t = take_time(&c);
        expect(&c, TEXT(" "));
        d.year = take_digits(&c, 4);
        c.bad = c.bad || is_long;
    } else { /* Sun, 06 Nov 1994 08:49:37 GMT, or Sunday, 06-Nov-94 08:49:37 GMT */
        struct text between = is_long ? TEXT("-") : TEXT(" ");
        expect(&c, TEXT(", "));
        d.day = take_digits(&c, 2);
        expect(&c, between);
        d.month = take_month(&c);
        expect(&c, between);
        d.year = take_digits(&c, is_long ? 2 : 4);
        if (is_long)
            d.year = full_year((unsigned)d.year);
        expect(&c, TEXT(" "));
        t = take_time(&c);
        expect(&c, TEXT(" GMT"));
    }
    if (c.bad || c.rest.len > 0 || !date_exists(d, t))
        return -EINVAL;
    *result = (time_t)(days_of_date(d) * 86400 + (int64_t)t.hour * 3600 + (int64_t)t.min * 60 + t.sec);
    return 0;
}
