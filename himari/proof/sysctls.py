"""The kernel's settings that are proven, each with the values that hold."""

import msgspec


class Sysctl(msgspec.Struct, frozen=True):
    """`says` is the sentence of its check; `replaces` the guide's step."""

    name: str
    allowed: tuple[str, ...]
    says: str
    replaces: str = ""


STEP = "day 1, step 1.2: "
IPV4, CONF, CONF6 = "net.ipv4.", "net.ipv4.conf.", "net.ipv6.conf."
BBR = "day 1 validation: BBR active; 4.3: BBR active"

SYSCTLS = (
    Sysctl(IPV4 + "tcp_congestion_control", ("bbr",), "TCP uses BBR", BBR),
    Sysctl("net.core.default_qdisc", ("fq",), "new queues are fq, which paces BBR", STEP + "default_qdisc"),
    Sysctl("net.core.rmem_max", ("16777216",), "a receive buffer may hold 16 MiB", STEP + "rmem_max=134217728"),
    Sysctl("net.core.wmem_max", ("16777216",), "a send buffer may hold 16 MiB", STEP + "wmem_max=134217728"),
    Sysctl("net.core.somaxconn", ("1024",), "a listener's queue holds 1024 callers", STEP + "netdev_max_backlog"),
    Sysctl(IPV4 + "tcp_timestamps", ("1",), "TCP measures round trips by timestamps", STEP + "tcp_timestamps=0"),
    Sysctl(IPV4 + "tcp_retries2", ("8",), "TCP gives up neither early nor late", STEP + "tcp_retries2=5"),
    Sysctl(IPV4 + "tcp_slow_start_after_idle", ("0",), "a pause does not make a connection slow", STEP + "tcp"),
    Sysctl(IPV4 + "ip_nonlocal_bind", ("1",), "services may start before the tunnel is up"),
    Sysctl(IPV4 + "tcp_syncookies", ("1",), "a flood of half-open connections does not stop the host"),
    Sysctl(IPV4 + "icmp_echo_ignore_broadcasts", ("1",), "the host answers no ping to a whole network"),
    Sysctl(IPV4 + "icmp_ignore_bogus_error_responses", ("1",), "nonsense in ICMP fills no log"),
    Sysctl(IPV4 + "tcp_rfc1337", ("1",), "a stray reset does not end a connection that is closing"),
    Sysctl(IPV4 + "ip_forward", ("0",), "the host carries nobody else's packets"),
    Sysctl(CONF + "all.rp_filter", ("1", "2"), "packets with a forged origin are dropped"),
    Sysctl(CONF + "default.rp_filter", ("1", "2"), "and those at an interface that comes later"),
    Sysctl(CONF + "all.accept_redirects", ("0",), "no stranger changes the host's routes"),
    Sysctl(CONF + "default.accept_redirects", ("0",), "nor those of an interface that comes later"),
    Sysctl(CONF + "all.accept_source_route", ("0",), "no packet chooses its own way"),
    Sysctl(CONF + "default.accept_source_route", ("0",), "nor at an interface that comes later"),
    Sysctl(CONF + "all.secure_redirects", ("0",), "not even a gateway changes the host's routes"),
    Sysctl(CONF + "default.secure_redirects", ("0",), "nor those of an interface that comes later"),
    Sysctl(CONF + "all.send_redirects", ("0",), "the host tells others no routes"),
    Sysctl(CONF + "default.send_redirects", ("0",), "nor at an interface that comes later"),
    Sysctl(CONF6 + "all.accept_redirects", ("0",), "no stranger changes the host's IPv6 routes"),
    Sysctl(CONF6 + "default.accept_redirects", ("0",), "nor those of an interface that comes later"),
    Sysctl(CONF6 + "all.accept_source_route", ("0",), "no IPv6 packet chooses its own way"),
    Sysctl(CONF6 + "default.accept_source_route", ("0",), "nor at an interface that comes later"),
    Sysctl("vm.swappiness", ("0", "1"), "memory is swapped out only to survive", STEP + "swappiness=0"),
    Sysctl("vm.overcommit_memory", ("1",), "Redis may fork however much it holds", STEP + "(missing)"),
    Sysctl("vm.nr_hugepages", ("0",), "no memory is set aside for huge pages", STEP + "nr_hugepages=128"),
    Sysctl("vm.unprivileged_userfaultfd", ("0",), "only root delays the kernel at a page of its choice"),
    Sysctl("vm.mmap_min_addr", ("65536",), "a null pointer of the kernel leads to nothing"),
    Sysctl("net.core.bpf_jit_harden", ("2",), "constants of a loaded program cannot be code"),
    Sysctl("dev.tty.ldisc_autoload", ("0",), "no terminal loads a module"),
    Sysctl("kernel.core_pattern", ("|/bin/false",), "a crash writes no memory to disk"),
    Sysctl("kernel.perf_event_paranoid", ("3", "4"), "only root measures inside the kernel"),
    Sysctl("kernel.kptr_restrict", ("1", "2"), "the kernel's addresses are root's alone"),
    Sysctl("kernel.dmesg_restrict", ("1",), "the kernel's messages are root's alone"),
    Sysctl("kernel.unprivileged_bpf_disabled", ("1", "2"), "only root loads programs into the kernel"),
    Sysctl("kernel.yama.ptrace_scope", ("1", "2", "3"), "a process cannot read its neighbours"),
    Sysctl("kernel.kexec_load_disabled", ("1",), "the running kernel cannot be replaced"),
    Sysctl("kernel.sysrq", ("0",), "no key restarts the host"),
    Sysctl("kernel.randomize_va_space", ("2",), "addresses of programs are random"),
    Sysctl("fs.protected_hardlinks", ("1",), "hard links in shared folders cannot be abused"),
    Sysctl("fs.protected_symlinks", ("1",), "symbolic links in shared folders cannot be abused"),
    Sysctl("fs.protected_fifos", ("2",), "pipes in shared folders cannot be abused"),
    Sysctl("fs.protected_regular", ("2",), "files in shared folders cannot be abused"),
    Sysctl("fs.suid_dumpable", ("0",), "programs with a foreign identity leave no core"),
)
