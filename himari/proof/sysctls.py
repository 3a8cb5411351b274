"""The kernel's settings that are proven, each with the values that hold."""

import msgspec


class Sysctl(msgspec.Struct, frozen=True):
    """`says` is the sentence of its check; `replaces` the guide's step."""

    name: str
    allowed: tuple[str, ...]
    says: str
    replaces: str = ""


STEP = "day 1, step 1.2: "

SYSCTLS = (
    Sysctl(
        "net.ipv4.tcp_congestion_control", ("bbr",), "TCP uses BBR", "day 1 validation: BBR active; 4.3: BBR active"
    ),
    Sysctl("net.core.default_qdisc", ("fq",), "new queues are fq, which paces BBR", STEP + "default_qdisc"),
    Sysctl("net.ipv4.tcp_timestamps", ("1",), "TCP measures round trips by timestamps", STEP + "tcp_timestamps=0"),
    Sysctl("net.ipv4.tcp_retries2", ("8",), "TCP gives up neither early nor late", STEP + "tcp_retries2=5"),
    Sysctl("net.ipv4.tcp_syncookies", ("1",), "a flood of half-open connections does not stop the host"),
    Sysctl("net.ipv4.conf.all.rp_filter", ("1", "2"), "packets with a forged origin are dropped"),
    Sysctl("net.ipv4.conf.all.accept_redirects", ("0",), "no stranger changes the host's routes"),
    Sysctl("net.ipv4.conf.all.accept_source_route", ("0",), "no packet chooses its own way"),
    Sysctl("net.ipv4.conf.all.send_redirects", ("0",), "the host tells others no routes"),
    Sysctl("vm.swappiness", ("0", "1"), "memory is swapped out only to survive", STEP + "swappiness=0"),
    Sysctl("vm.overcommit_memory", ("1",), "Redis may fork however much it holds", STEP + "(missing)"),
    Sysctl("vm.nr_hugepages", ("0",), "no memory is set aside for huge pages", STEP + "nr_hugepages=128"),
    Sysctl("kernel.kptr_restrict", ("1", "2"), "the kernel's addresses are root's alone"),
    Sysctl("kernel.dmesg_restrict", ("1",), "the kernel's messages are root's alone"),
    Sysctl("kernel.randomize_va_space", ("2",), "addresses of programs are random"),
    Sysctl("fs.protected_hardlinks", ("1",), "hard links in shared folders cannot be abused"),
    Sysctl("fs.protected_symlinks", ("1",), "symbolic links in shared folders cannot be abused"),
    Sysctl("fs.suid_dumpable", ("0",), "programs with a foreign identity leave no core"),
)
