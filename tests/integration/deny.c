/* deny.c - seccomp filters of a few instructions. See deny.h. */
#include "deny.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static bool install(struct sock_filter *code, unsigned short len)
{
    struct sock_fprog program = {.len = len, .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
        return true;
    printf("skipped: no seccomp filters here (%s)\n", strerror(errno));
    return false;
}

/* `test`: BPF_JGE or BPF_JSET of the argument with `value`. */
static bool deny_where(long call, unsigned arg, unsigned short test, uint32_t value, int error)
{
    unsigned low = (unsigned)(offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t));
    if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
        low += 4;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
        BPF_JUMP((unsigned short)(BPF_JMP | test | BPF_K), value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    return install(code, sizeof code / sizeof *code);
}

bool deny(long call, int error)
{
    return deny_from(call, 0, 0, error);
}

bool deny_flag(long call, unsigned arg, uint32_t flag, int error)
{
    return deny_where(call, arg, BPF_JSET, flag, error);
}

bool deny_set_flag(uint32_t flag, int error)
{
    unsigned high = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 5),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, args[1]) + high),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETFL, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, args[2]) + high),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, flag, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    return install(code, sizeof code / sizeof *code);
}

bool deny_from(long call, unsigned arg, uint32_t least, int error)
{
    return deny_where(call, arg, BPF_JGE, least, error);
}
