/* variable_rows.c - looks built-in variables up by their names. See variable_rows.h. */
#include "http/variable/variable_rows.h"

/* The row of this name, or else of its family. A family's prefix alone belongs to it, too, as in
 * nginx, and is nearly always empty: a cookie may have no name. */
static const struct variable_row *find(const struct variable_row *const *tables, struct text name, bool exact)
{
    const struct variable_row *family = NULL;

    for (; *tables; tables++)
        for (const struct variable_row *row = *tables; row->name; row++) {
            struct text own = text_of(row->name);
            if (row->flags == VARIABLE_FAMILY && text_starts(name, own))
                family = row;
            else if ((exact || row->flags != VARIABLE_OF_FAMILY) && text_equal_nocase(name, own))
                return row;
        }
    return family;
}

bool variable_rows_find(const struct variable_row *const *tables, struct variable *v, struct arena *arena)
{
    const struct variable_row *row = find(tables, v->name, false);

    if (!row)
        return false;
    v->get = row->get;
    v->data = (const void *)row->data;
    if (row->flags != VARIABLE_FAMILY)
        return true;
    struct text *rest = arena_alloc(arena, sizeof *rest);
    if (!rest)
        return false;
    *rest = text_from(v->name, strlen(row->name));
    v->data = rest;
    return true;
}

bool variable_rows_reserve(const struct variable_row *const *tables, struct text name)
{
    const struct variable_row *row = find(tables, name, true);
    return row && (row->flags == VARIABLE_FIXED || row->flags == VARIABLE_OF_FAMILY);
}

variable_set_fn *variable_rows_setter(const struct variable_row *const *tables, struct text name)
{
    const struct variable_row *row = find(tables, name, true);
    return row ? row->set : NULL;
}
