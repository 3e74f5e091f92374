/* field.h - texts that become values of response fields. A value holds no line end and no other
 * control byte but the tab: RFC 9110, 5.5. What the configuration says is written out as it would
 * have been on one line; what a request brought is encoded. */
#ifndef HTTP_SYNTAX_FIELD_H
#define HTTP_SYNTAX_FIELD_H

#include "conf/directive.h"

/* Constant text: a line end becomes one space with the blanks around it, or nothing at either end;
 * tabs stay, other control bytes are encoded. `t` itself where there is nothing to do; absent: no
 * memory. */
struct text field_fold(struct text t, struct arena *arena);

/* Text from variables: every control byte, the tab too, becomes %XX, and nothing else. The same
 * results. */
struct text field_encode(struct text t, struct arena *arena);

/* Whether field_encode() would change it; and whether it could end the field, or is none for
 * another reason. */
bool field_has_controls(struct text t);
bool field_is_broken(struct text t);

/* A setter: conf_set_text with field_fold(). */
conf_set_fn field_set_text;

#endif
