/* seccomp_calls.c - the system calls of a process that serves. Any other call fails with ENOSYS.
 *
 * Calls that not every machine has are left out where they are missing: some are older than the
 * newer machines, some newer than the headers we build with (their numbers are the same everywhere,
 * and written out). */
#include "server/confine/seccomp.h"

#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif
#ifndef SYS_futex_wake
#define SYS_futex_wake 454
#endif
#ifndef SYS_futex_wait
#define SYS_futex_wait 455
#endif
#ifndef SYS_futex_requeue
#define SYS_futex_requeue 456
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* Runs of values end with 0. */
static const uint32_t thread[] = {CLONE_THREAD, 0};
static const uint32_t own[] = {UINT32_MAX, 0}; /* of pids, 0 alone has none of these bits */
static const uint32_t executable[] = {PROT_EXEC, 0};
static const uint32_t sockets[] = {AF_UNIX, AF_INET, AF_INET6, 0};
static const uint32_t all_sockets[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, 0};
static const uint32_t requests[] = {SIOCOUTQ, FIONBIO, FIONREAD, TCGETS, TIOCGWINSZ, 0};
static const uint32_t options[] = {PR_SET_NAME,      PR_GET_NAME,     PR_SET_VMA, PR_GET_DUMPABLE,
                                   PR_SET_PDEATHSIG, PR_CAPBSET_READ, 0};

#define ALWAYS(name)                                                                                                   \
    {                                                                                                                  \
        SYS_##name, SECCOMP_SERVES, SECCOMP_ALWAYS, 0, NULL                                                            \
    }
#define MANAGES(name)                                                                                                  \
    {                                                                                                                  \
        SYS_##name, SECCOMP_MANAGES, SECCOMP_ALWAYS, 0, NULL                                                           \
    }
#define READS(name, roles)                                                                                             \
    {                                                                                                                  \
        SYS_##name, roles, SECCOMP_ALWAYS, 0, NULL                                                                     \
    }
#define FATAL(name)                                                                                                    \
    {                                                                                                                  \
        SYS_##name, SECCOMP_SERVES, SECCOMP_FATAL, 0, NULL                                                             \
    }

const struct seccomp_call seccomp_calls[] = {
#ifdef SYS_epoll_wait
    ALWAYS(epoll_wait),
#endif
    ALWAYS(recvfrom),
    ALWAYS(sendto),
    ALWAYS(sendmsg),
    ALWAYS(sendfile),
    ALWAYS(accept4),
    ALWAYS(read),
    ALWAYS(write),
    ALWAYS(close),
    ALWAYS(fstat),
#ifdef SYS_newfstatat
    ALWAYS(newfstatat),
#endif
    ALWAYS(openat),
    ALWAYS(openat2),
    ALWAYS(epoll_ctl),
    ALWAYS(futex),
    ALWAYS(epoll_pwait),
#ifdef SYS_epoll_pwait2
    ALWAYS(epoll_pwait2),
#endif
    ALWAYS(recvmsg),
    ALWAYS(sendmmsg),
    ALWAYS(writev),
    ALWAYS(readv),
    ALWAYS(pread64),
    ALWAYS(preadv),
    ALWAYS(preadv2),
    ALWAYS(pwrite64),
    ALWAYS(pwritev),
    ALWAYS(pwritev2),
    ALWAYS(lseek),
    ALWAYS(splice),
    ALWAYS(tee),
    ALWAYS(vmsplice),
    ALWAYS(shutdown),
    ALWAYS(setsockopt),
    ALWAYS(getsockopt),
    ALWAYS(getsockname),
    ALWAYS(getpeername),
#ifdef SYS_accept
    ALWAYS(accept),
#endif
#ifdef SYS_open
    ALWAYS(open),
#endif
#ifdef SYS_stat
    ALWAYS(stat),
#endif
#ifdef SYS_lstat
    ALWAYS(lstat),
#endif
    ALWAYS(statx),
#ifdef SYS_access
    ALWAYS(access),
#endif
    ALWAYS(faccessat),
#ifdef SYS_faccessat2
    ALWAYS(faccessat2),
#endif
#ifdef SYS_readlink
    ALWAYS(readlink),
#endif
    ALWAYS(readlinkat),
    ALWAYS(getdents64),
    ALWAYS(getcwd),
    ALWAYS(statfs),
    ALWAYS(fstatfs),
    ALWAYS(fgetxattr),
    ALWAYS(fcntl),
    ALWAYS(dup),
#ifdef SYS_dup2
    ALWAYS(dup2),
#endif
    ALWAYS(dup3),
    ALWAYS(fadvise64),
    ALWAYS(readahead),
    ALWAYS(cachestat),
    ALWAYS(fsync),
    ALWAYS(fdatasync),
    ALWAYS(umask),
    ALWAYS(chdir),
    ALWAYS(memfd_create),
    ALWAYS(ftruncate),
    /* No new code: PCRE2 compiles when the configuration is read. */
    MANAGES(mmap),
    {SYS_mmap, SECCOMP_SERVES, SECCOMP_NONE_SET, 2, executable},
    ALWAYS(munmap),
    ALWAYS(mremap),
    MANAGES(mprotect),
    {SYS_mprotect, SECCOMP_SERVES, SECCOMP_NONE_SET, 2, executable},
    ALWAYS(madvise),
    ALWAYS(brk),
    ALWAYS(mincore),
    ALWAYS(msync),
    ALWAYS(mlock),
    ALWAYS(munlock),
    ALWAYS(mlock2),
    READS(io_uring_setup, SECCOMP_URING),
    READS(io_uring_enter, SECCOMP_URING),
    READS(io_uring_register, SECCOMP_URING),
    READS(io_setup, SECCOMP_AIO),
    READS(io_submit, SECCOMP_AIO),
    READS(io_getevents, SECCOMP_AIO),
    READS(io_pgetevents, SECCOMP_AIO),
    READS(io_cancel, SECCOMP_AIO),
    READS(io_destroy, SECCOMP_AIO),
    ALWAYS(clock_gettime),
    ALWAYS(clock_getres),
    ALWAYS(clock_nanosleep),
    ALWAYS(nanosleep),
    ALWAYS(gettimeofday),
#ifdef SYS_time
    ALWAYS(time),
#endif
    ALWAYS(times),
    ALWAYS(getrusage),
    ALWAYS(timerfd_create),
    ALWAYS(timerfd_settime),
    ALWAYS(timerfd_gettime),
    ALWAYS(timer_create),
    ALWAYS(timer_settime),
    ALWAYS(timer_delete),
    ALWAYS(epoll_create1),
    ALWAYS(eventfd2),
    ALWAYS(signalfd4),
    ALWAYS(pipe2),
#ifdef SYS_poll
    ALWAYS(poll),
#endif
    ALWAYS(ppoll),
#ifdef SYS_select
    ALWAYS(select),
#endif
    ALWAYS(pselect6),
    ALWAYS(set_robust_list),
    ALWAYS(get_robust_list),
#ifdef SYS_rseq
    ALWAYS(rseq),
#endif
    ALWAYS(set_tid_address),
    ALWAYS(gettid),
    ALWAYS(sched_yield),
    ALWAYS(sched_getaffinity),
    ALWAYS(sched_setaffinity),
    ALWAYS(sched_getparam),
    ALWAYS(sched_getscheduler),
    ALWAYS(sched_setscheduler),
    ALWAYS(sched_get_priority_max),
    ALWAYS(sched_get_priority_min),
    ALWAYS(getpriority),
    ALWAYS(setpriority),
    ALWAYS(membarrier),
#ifdef SYS_futex_waitv
    ALWAYS(futex_waitv),
#endif
    ALWAYS(futex_wait),
    ALWAYS(futex_wake),
    ALWAYS(futex_requeue),
    ALWAYS(getcpu),
    ALWAYS(rt_sigaction),
    ALWAYS(rt_sigprocmask),
    ALWAYS(rt_sigreturn),
    ALWAYS(rt_sigtimedwait),
    ALWAYS(rt_sigpending),
    ALWAYS(rt_sigsuspend),
    ALWAYS(sigaltstack),
    ALWAYS(restart_syscall),
#ifdef SYS_pause
    ALWAYS(pause),
#endif
    ALWAYS(getpid),
    ALWAYS(getppid),
    ALWAYS(getuid),
    ALWAYS(geteuid),
    ALWAYS(getgid),
    ALWAYS(getegid),
    ALWAYS(getgroups),
#ifdef SYS_getpgrp
    ALWAYS(getpgrp),
#endif
    ALWAYS(getsid),
    ALWAYS(capget),
    ALWAYS(uname),
    ALWAYS(sysinfo),
    ALWAYS(getrandom),
#ifdef SYS_getrlimit
    ALWAYS(getrlimit),
#endif
    ALWAYS(exit),
    ALWAYS(exit_group),

    /* Threads, but no processes. clone3 hides its flags behind a pointer: without it, clone is
     * taken. */
    {SYS_clone, SECCOMP_SERVES, SECCOMP_ALL_SET, 0, thread},
    {SYS_tgkill, SECCOMP_SERVES, SECCOMP_OWN_PID, 0, NULL},
    {SYS_kill, SECCOMP_SERVES, SECCOMP_OWN_PID, 0, NULL},
    {SYS_ioctl, SECCOMP_SERVES, SECCOMP_ONE_OF, 1, requests},
    {SYS_prctl, SECCOMP_SERVES, SECCOMP_ONE_OF, 0, options},
    {SYS_prlimit64, SECCOMP_MANAGES, SECCOMP_ALWAYS, 0, NULL},
    {SYS_prlimit64, SECCOMP_SERVES, SECCOMP_NONE_SET, 0, own},
    {SYS_socket, SECCOMP_MANAGES, SECCOMP_ONE_OF, 0, all_sockets},
    {SYS_socket, SECCOMP_SYSLOGS, SECCOMP_ONE_OF, 0, sockets},
    {SYS_connect, SECCOMP_SYSLOGS | SECCOMP_MANAGES, SECCOMP_ALWAYS, 0, NULL},

    /* Of a process that is its own master. */
    MANAGES(bind),
    MANAGES(listen),
    MANAGES(socketpair),
#ifdef SYS_unlink
    MANAGES(unlink),
#endif
    MANAGES(unlinkat),
#ifdef SYS_rename
    MANAGES(rename),
#endif
#ifdef SYS_renameat
    MANAGES(renameat),
#endif
    MANAGES(renameat2),
#ifdef SYS_link
    MANAGES(link),
#endif
    MANAGES(linkat),
#ifdef SYS_mkdir
    MANAGES(mkdir),
#endif
    MANAGES(mkdirat),
#ifdef SYS_chmod
    MANAGES(chmod),
#endif
    MANAGES(fchmod),
    MANAGES(fchmodat),
#ifdef SYS_chown
    MANAGES(chown),
#endif
    MANAGES(fchown),
    MANAGES(fchownat),
    MANAGES(flock),
    MANAGES(setrlimit),

    /* What only somebody who has broken in would try. */
    FATAL(execve),
    FATAL(execveat),
#ifdef SYS_fork
    FATAL(fork),
#endif
#ifdef SYS_vfork
    FATAL(vfork),
#endif
    FATAL(ptrace),
    FATAL(process_vm_readv),
    FATAL(process_vm_writev),
#ifdef SYS_process_madvise
    FATAL(process_madvise),
#endif
#ifdef SYS_pidfd_getfd
    FATAL(pidfd_getfd),
#endif
    FATAL(kcmp),
    FATAL(init_module),
    FATAL(finit_module),
    FATAL(delete_module),
    FATAL(kexec_load),
    FATAL(kexec_file_load),
    FATAL(bpf),
    FATAL(mount),
    FATAL(umount2),
    FATAL(pivot_root),
#ifdef SYS_move_mount
    FATAL(move_mount),
#endif
#ifdef SYS_open_tree
    FATAL(open_tree),
#endif
#ifdef SYS_fsopen
    FATAL(fsopen),
#endif
#ifdef SYS_fsmount
    FATAL(fsmount),
#endif
#ifdef SYS_fsconfig
    FATAL(fsconfig),
#endif
#ifdef SYS_fspick
    FATAL(fspick),
#endif
#ifdef SYS_mount_setattr
    FATAL(mount_setattr),
#endif
    FATAL(chroot),
    FATAL(unshare),
    FATAL(setns),
    FATAL(reboot),
    FATAL(swapon),
    FATAL(swapoff),
    FATAL(add_key),
    FATAL(request_key),
    FATAL(keyctl),
    FATAL(perf_event_open),
    FATAL(userfaultfd),
    FATAL(open_by_handle_at),
    FATAL(acct),
    FATAL(quotactl),
    FATAL(settimeofday),
    FATAL(clock_settime),
    FATAL(clock_adjtime),
    FATAL(adjtimex),
    FATAL(sethostname),
    FATAL(setdomainname),
#ifdef SYS_iopl
    FATAL(iopl),
#endif
#ifdef SYS_ioperm
    FATAL(ioperm),
#endif
#ifdef SYS_modify_ldt
    FATAL(modify_ldt),
#endif
#ifdef SYS_syslog
    FATAL(syslog),
#endif
    FATAL(vhangup),
#ifdef SYS_lookup_dcookie
    FATAL(lookup_dcookie),
#endif
    FATAL(fanotify_init),
    FATAL(setuid),
    FATAL(setgid),
    FATAL(setreuid),
    FATAL(setregid),
    FATAL(setresuid),
    FATAL(setresgid),
    FATAL(setgroups),
    FATAL(capset),
};

const size_t seccomp_call_count = sizeof seccomp_calls / sizeof seccomp_calls[0];
