/* tune_tls.c - `sluice tune`: what the encryption of a response costs, by cipher suite. */
#include "server/tune/tune_private.h"

/* The best of some short rounds, interleaved: other load on the machine only makes slower. */
enum { ROUNDS = 3, FEWEST = 16 };

static void run(struct tls_seal *s, double seconds, struct tune_speed *best)
{
    double from = tune_now(), cpu = tune_cpu(), took;
    unsigned count = 0;

    do {
        if (tls_seal_record(s) < 0)
            return;
        count++;
        took = tune_now() - from;
    } while (took < seconds || count < FEWEST);
    double bytes = (double)count * TLS_SEAL_RECORD;
    struct tune_speed one = {bytes / took, (tune_cpu() - cpu) * (double)(1u << 30) / bytes};
    if (one.rate > best->rate)
        *best = one;
}

void tune_tls_measure(struct tune *t, double until)
{
    double each = (until - tune_now()) / (ROUNDS * TLS_SEALS);
    struct tls_seal *seals[TLS_SEALS];

    tune_progress_at(&t->progress, "encrypting");
    for (unsigned i = 0; i < TLS_SEALS; i++)
        seals[i] = tls_seal_create(i);
    for (unsigned i = 0; i < ROUNDS * TLS_SEALS && tune_now() < until; i++) {
        if (seals[i % TLS_SEALS])
            run(seals[i % TLS_SEALS], each, &t->results->seals[i % TLS_SEALS]);
    }
    for (unsigned i = 0; i < TLS_SEALS; i++)
        tls_seal_destroy(seals[i]);
}
