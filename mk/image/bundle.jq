# bundle.jq - makes of the runtime configuration that `umoci unpack` writes one as strict as that of a cluster: nothing can be written,
# no capability, and of the engines' own seccomp profile ($profile) all but io_uring and Landlock. $uid, $gid, $srv, $conf, $cgroup: as whom,
# the folder, another configuration or "", where the groups are shown; $machine: uname -m.
def seccomp: {
    defaultAction: $profile[0].defaultAction, defaultErrnoRet: 1,
    architectures: [{"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}[$machine]],
    syscalls: ([$profile[0].syscalls[] |
        select(((.includes.caps // []) | length) == 0 and ((.includes.arches // ["amd64"]) | index("amd64")) != null) |
        {names: [.names[] | select(test("^(io_uring|landlock)_") | not)], action, args} +
            (if .errnoRet then {errnoRet} else {} end) | select(.names | length > 0)] +
        [{names: ["io_uring_setup", "io_uring_enter", "io_uring_register", "landlock_create_ruleset", "landlock_add_rule",
                  "landlock_restrict_self"], action: "SCMP_ACT_ERRNO", errnoRet: 1}])
};
.process.terminal = false |
.process.user = {uid: $uid, gid: $gid} |
.process.capabilities = {bounding: [], effective: [], inheritable: [], permitted: [], ambient: []} |
.process.noNewPrivileges = true |
.root.readonly = true |
.mounts = [.mounts[] | select(.destination | IN("/proc", "/dev", "/sys"))] +
    [{destination: "/sys/fs/cgroup", type: "bind", source: $cgroup, options: ["rbind", "ro"]},
     {destination: "/srv", type: "bind", source: $srv, options: ["rbind", "ro"]}] +
    (if $conf == "" then [] else [{destination: "/etc/sluice/sluice.conf", type: "bind", source: $conf, options: ["bind", "ro"]}] end) |
.linux.namespaces = [.linux.namespaces[] | select(.type != "network")] |
.linux.seccomp = seccomp
