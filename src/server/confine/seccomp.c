/* seccomp.c - the table of system calls to a BPF program. Kernel:
 * Documentation/userspace-api/seccomp_filter.rst.
 *
 * Written by hand: it is a page, and no library has to be there. The kernel keeps the calls that
 * are always allowed in a bit map (5.11), so that the length of the table costs them nothing. */
#include "server/confine/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define THIS_MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_MACHINE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define THIS_MACHINE AUDIT_ARCH_RISCV64
#else
#define THIS_MACHINE 0
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_HALF 0
#else
#define LOW_HALF 4
#endif

enum {
    PROGRAM_MOST = 2048,
    FOREIGN_NUMBERS = 0x40000000 /* x32 on x86-64: other calls under other numbers */
};

struct program {
    struct sock_filter at[PROGRAM_MOST];
    unsigned short len;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
    if (p->len < PROGRAM_MOST)
        p->at[p->len++] = (struct sock_filter){code, yes, no, k};
}

static void emit_return(struct program *p, uint32_t what)
{
    emit(p, BPF_RET | BPF_K, what, 0, 0);
}

static void emit_load(struct program *p, size_t offset)
{
    emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Ends in returns, whatever the argument is. */
static void emit_test(struct program *p, const struct seccomp_call *c)
{
    const uint32_t refusal = SECCOMP_RET_ERRNO | EPERM;

    if (c->test == SECCOMP_ALWAYS || c->test == SECCOMP_FATAL) {
        emit_return(p, c->test == SECCOMP_ALWAYS ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
        return;
    }
    emit_load(p, offsetof(struct seccomp_data, args) + 8 * c->argument + LOW_HALF);
    switch (c->test) {
    case SECCOMP_ALL_SET:
        emit(p, BPF_ALU | BPF_AND | BPF_K, c->values[0], 0, 0);
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, c->values[0], 0, 1);
        emit_return(p, SECCOMP_RET_ALLOW);
        break;
    case SECCOMP_NONE_SET:
        emit(p, BPF_JMP | BPF_JSET | BPF_K, c->values[0], 1, 0);
        emit_return(p, SECCOMP_RET_ALLOW);
        break;
    case SECCOMP_OWN_PID:
        emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 0, 1);
        emit_return(p, SECCOMP_RET_ALLOW);
        break;
    default:
        for (const uint32_t *v = c->values; *v; v++) {
            emit(p, BPF_JMP | BPF_JEQ | BPF_K, *v, 0, 1);
            emit_return(p, SECCOMP_RET_ALLOW);
        }
        break;
    }
    emit_return(p, refusal);
}

static void emit_call(struct program *p, const struct seccomp_call *c)
{
    unsigned short jump = p->len;

    emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)c->number, 0, 0);
    emit_test(p, c);
    if (jump < PROGRAM_MOST)
        p->at[jump].jf = (uint8_t)(p->len - jump - 1);
}

static void emit_all(struct program *p, unsigned roles)
{
    emit_load(p, offsetof(struct seccomp_data, arch));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, THIS_MACHINE, 1, 0);
    emit_return(p, SECCOMP_RET_KILL_PROCESS);
    emit_load(p, offsetof(struct seccomp_data, nr));
    emit(p, BPF_JMP | BPF_JGE | BPF_K, FOREIGN_NUMBERS, 0, 1);
    emit_return(p, SECCOMP_RET_KILL_PROCESS);
    for (size_t i = 0; i < seccomp_call_count; i++)
        if (seccomp_calls[i].roles & roles)
            emit_call(p, &seccomp_calls[i]);
    emit_return(p, SECCOMP_RET_ERRNO | ENOSYS);
}

int seccomp_enter(unsigned roles)
{
    static struct program p;

    if (THIS_MACHINE == 0)
        return -EOPNOTSUPP;
    p.len = 0;
    emit_all(&p, roles);
    if (p.len == PROGRAM_MOST)
        return -E2BIG;
    struct sock_fprog program = {p.len, p.at};
    /* Without the flag, kernels before 5.16 would slow every branch down for whoever has a
     * filter. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0)
        return 0;
    if (errno == EINVAL && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
        return 0;
    return -errno;
}
