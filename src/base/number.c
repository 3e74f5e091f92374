/* number.c - text to numbers and back, as nginx's configuration and RFC 9110 write them. Pure. */
#include "base/number.h"

#include <errno.h>

int number_parse(struct text t, uint64_t *value)
{
    if (t.len == 0)
        return -EINVAL;
    uint64_t v = 0;
    bool over = false;
    for (size_t i = 0; i < t.len; i++) {
        unsigned digit = (unsigned)(unsigned char)t.at[i] - '0';
        if (digit > 9)
            return -EINVAL;
        over = over || v > (UINT64_MAX - digit) / 10;
        v = v * 10 + digit;
    }
    if (over)
        return -ERANGE;
    *value = v;
    return 0;
}

int number_parse_size(struct text t, uint64_t *bytes)
{
    if (t.len == 0)
        return -EINVAL;
    unsigned shift = 0;
    switch (text_lower(t.at[t.len - 1])) {
    case 'k':
        shift = 10;
        break;
    case 'm':
        shift = 20;
        break;
    case 'g':
        shift = 30;
        break;
    default:
        break;
    }
    uint64_t v = 0;
    int rc = number_parse((struct text){t.at, t.len - (shift > 0)}, &v);
    if (rc < 0)
        return rc;
    if (v > UINT64_MAX >> shift)
        return -ERANGE;
    *bytes = v << shift;
    return 0;
}

/* Units in the only order they may appear in. */
enum unit {
    UNIT_NONE,
    UNIT_YEAR,
    UNIT_MONTH,
    UNIT_WEEK,
    UNIT_DAY,
    UNIT_HOUR,
    UNIT_MIN,
    UNIT_SEC,
    UNIT_MSEC,
    UNIT_LAST
};

static const int64_t unit_seconds[] = {0, 31536000 /* 365 d */, 2592000 /* 30 d */, 604800, 86400, 3600, 60, 1, 0, 1};

static enum unit unit_of(char c)
{
    switch (c) {
    case 'y':
        return UNIT_YEAR;
    case 'M':
        return UNIT_MONTH;
    case 'w':
        return UNIT_WEEK;
    case 'd':
        return UNIT_DAY;
    case 'h':
        return UNIT_HOUR;
    case 'm':
        return UNIT_MIN;
    case 's':
        return UNIT_SEC;
    case ' ':
        return UNIT_LAST; /* a number without a unit ends the sequence */
    default:
        return UNIT_NONE;
    }
}

/* Adds value * scale to the total. */
static int add_scaled(int64_t *total, uint64_t value, int64_t scale)
{
    int64_t part = 0;
    if (value > INT64_MAX || __builtin_mul_overflow((int64_t)value, scale, &part) ||
        __builtin_add_overflow(*total, part, total))
        return -ERANGE;
    return 0;
}

/* `ticks` per second: 1, or 1000 for milliseconds. The rules, oddities included ("1hm" is one
 * hour), are those of nginx's time values: milliseconds know no years and months, seconds know no
 * `ms`. */
static int parse_time(struct text t, int64_t ticks, int64_t *result)
{
    enum unit last = ticks == 1 ? UNIT_NONE : UNIT_MONTH;
    int64_t total = 0;
    uint64_t value = 0;
    bool digits = false;
    size_t i = 0;

    while (i < t.len) {
        size_t start = i;
        while (i < t.len && t.at[i] >= '0' && t.at[i] <= '9')
            i++;
        if (i > start) {
            digits = true;
            if (number_parse((struct text){t.at + start, i - start}, &value) < 0)
                return -ERANGE;
        }
        if (i == t.len)
            break;

        enum unit unit = unit_of(t.at[i++]);
        int64_t scale = unit_seconds[unit] * ticks;
        if (unit == UNIT_MIN && i < t.len && t.at[i] == 's') {
            i++;
            unit = UNIT_MSEC;
            scale = 1;
            if (ticks == 1)
                return -EINVAL;
        }
        /* Only a bare number may follow milliseconds, and nothing may follow a bare one. */
        if (unit <= last || (last == UNIT_MSEC && unit == UNIT_LAST))
            return -EINVAL;
        last = unit;
        if (add_scaled(&total, value, scale) < 0)
            return -ERANGE;
        value = 0;
        while (i < t.len && t.at[i] == ' ')
            i++;
    }
    if (!digits)
        return -EINVAL;
    if (add_scaled(&total, value, ticks) < 0)
        return -ERANGE;
    *result = total;
    return 0;
}

int number_parse_msec(struct text t, int64_t *msec)
{
    return parse_time(t, 1000, msec);
}

int number_parse_sec(struct text t, int64_t *sec)
{
    return parse_time(t, 1, sec);
}

size_t number_format(char *out, uint64_t value)
{
    char digits[20];
    size_t n = 0;
    do {
        digits[sizeof digits - ++n] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    memcpy(out, digits + sizeof digits - n, n);
    return n;
}

size_t number_format_hex(char *out, uint64_t value)
{
    char digits[16];
    size_t n = 0;
    do {
        digits[sizeof digits - ++n] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value > 0);
    memcpy(out, digits + sizeof digits - n, n);
    return n;
}
