/* explain_access.c - in words, why a client was let in or refused. Called by explain_words.c; the
 * decision is access.c's. */
#include "http/access/access.h"
#include "http/core/core.h"
#include "http/explain/explain_private.h"
#include "http/variable/variable.h"

static const struct access_rule *say_rule(struct explain *e, const struct access_conf *a)
{
    const union peer *peer = e->request->peer;
    char client[ADDRESS_TEXT_SIZE];

    if (!a->rules)
        return NULL;
    peer_format(peer, client);
    const struct access_rule *rule = access_rules_find(a->rules, &peer->any);
    if (rule)
        explain_say(e, "access", "%s %.*s %s: the first rule that fits %s", rule->deny ? "deny" : "allow",
                    TEXT_ARG(rule->text), explain_place(e, rule->file, rule->line), client);
    else
        explain_say(e, "access", "no rule of allow and deny fits %s", client);
    return rule;
}

const char *explain_access(struct explain *e, const struct moment *before)
{
    const struct access_conf *outer = before->location->access, *a = access_chosen(e->request, outer);
    const char *auth = access_auth_words(e->request);

    if (!a)
        return NULL;
    if (a != outer)
        explain_say(e, "access", "limit_except: its rules are for %.*s", TEXT_ARG(e->request->msg.method_name));
    const struct access_rule *rule = say_rule(e, a);
    if (auth)
        explain_say(e, "auth_basic", "users of %.*s: %s", TEXT_ARG(a->user_file.path->text), auth);
    if (a->satisfy == SATISFY_ANY && a->rules && a->realm)
        explain_say(e, NULL, "satisfy any: one of both is enough");
    if (e->request->step == STEP_TRY_FILES)
        return NULL;
    return auth ? auth : rule && rule->deny ? "a rule of deny says so" : "access was refused";
}
