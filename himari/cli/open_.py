"""`himari open`."""

from typing import Annotated

import typer

from himari.cli.arguments import StackName

Service = Annotated[str, typer.Argument(metavar="SERVICE", help="A listener, as `himari plan` and the page name it.")]
OnHost = Annotated[str, typer.Option("--host", metavar="HOST", help="Which host's, where several have it.")]
AtPort = Annotated[int, typer.Option("--port", metavar="PORT", min=0, max=65535, help="Port here; 0: any free one.")]


def open_(stack: StackName, service: Service, host: OnHost = "", port: AtPort = 0) -> int:
    """Open a private port of a host on this machine, over ssh, until Ctrl-C.

    Nobody else reaches it: it is bound to the loopback address here.

    Example: himari open lab redis-features
    """
    from himari.cli.output import show
    from himari.runs.doors import opened
    from himari.stack.errors import HostError
    from himari.stack.load import load_stack
    from himari.stack.paths import StateDir
    from himari.vault.authority import Authority

    loaded = load_stack(stack)
    try:
        with opened(loaded, service, host, port) as (private, door):
            show(f"{private.service} of {private.host} is at {door.address}:{door.port}; Ctrl-C closes it")
            authority = Authority.open(StateDir.of(loaded.name), makes=False).certificate_file
            if authority.exists():
                show(f"where it speaks TLS, the stack's CA vouches for it: {authority}")
            if door.process is None:  # this machine has the port itself
                return 0
            door.wait()
            raise HostError("the connection ended", private.host, hint=f"himari status {loaded.name} says how it is")
    except KeyboardInterrupt:
        return 0
