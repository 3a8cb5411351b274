"""ssh: a key of the operator's, one user, nothing forwarded but what `himari open` needs."""

from himari.catalog.accounts import DEPLOY_USER
from himari.catalog.component import Component, File, Guard, Listener, Package, Place, Unit, View

DROP_IN = "/etc/ssh/sshd_config.d/00-himari.conf"  # 00: the first value counts, and images bring files of their own


def component(view: View) -> Component:
    """The hardened server, on the host's ssh port."""
    port = view.host.ssh_port
    return Component(
        name="sshd",
        packages=(Package(name="openssh-server"),),
        files=(
            File(
                path=DROP_IN,
                values={"user": DEPLOY_USER, "port": port},
                mode=0o600,
                check=("/usr/sbin/sshd", "-t", "-f", "{}"),
                guard=Guard.SSHD,
            ),
        ),
        units=(Unit(name="ssh.service", watches=(DROP_IN,), reload=True),),
        listens_on=(Listener(name="ssh", port=port, place=Place.PUBLIC, process="sshd"),),
    )
