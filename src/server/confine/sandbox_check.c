/* sandbox_check.c - what Landlock cannot know of a configuration, said when it has been read.
 * Called by cycle.c. See sandbox.h. */
#include "server/confine/sandbox.h"

#include "base/log.h"

void sandbox_check(const struct cycle *c)
{
    const struct sandbox_conf *conf = sandbox_conf_of(c);

    if (!conf->landlock || conf->names_reads || !c->main->master_process)
        return;
    list_each (&c->conf.reads, node, tmp) {
        const struct conf_noted_path *p = container_of(node, struct conf_noted_path, node);
        if (conf_path_is_open(p->path))
            log_warn(
                0,
                "variables say where the path \"%s\" of \"%s\" begins: with \"landlock on\" workers can read there "
                "only what other paths cover, and what \"landlock_read\" names in %s:%u",
                p->path, p->directive, p->file, p->line);
    }
}
