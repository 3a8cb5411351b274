"""What the graph holds from the first day: its users, what is unique, and the exchanges, assets and pairs of the stack.

Nothing that is there is changed or taken away, but users that nobody declared: in Community each may do everything."""

from collections.abc import Iterator

from himari.apply.declared.bolt import SYSTEM, Change, Graph, Server, entered
from himari.apply.declared.neo4j_content import content
from himari.apply.declared.services import Means, Report
from himari.catalog import ports
from himari.catalog.neo4j import ADMIN, FIRST, SERVICES, Login
from himari.stack.errors import DeployError
from himari.stack.network import LOOPBACK

AWAIT_INDEXES = "CALL db.awaitIndexes(60)"


def differences(means: Means, host: str) -> tuple[str, ...]:
    """What the graph on `host` lacks; before its admin has a password of the stack, nothing else can be seen."""
    server = _server(means, host)
    if way := _way_in(means, server):
        return (way[1].says,)
    with entered(server, ADMIN.name, means.values.secret(ADMIN.secret)) as graph:
        return tuple(change.says for change in _lacking(means, server, _admitted(graph, host)))


def apply(means: Means, host: str, report: Report) -> tuple[str, ...]:
    """Do what is missing; what was done, in words."""
    server = _server(means, host)
    done = [change.says for change in _take_over(means, server, report)]
    with entered(server, ADMIN.name, means.values.secret(ADMIN.secret)) as admitted:
        graph = _admitted(admitted, host)
        for change in _lacking(means, server, graph):
            report(host, change.says)
            graph.do(change)
            done.append(change.says)
        if done:
            graph.ask(AWAIT_INDEXES)
    return tuple(done)


def _server(means: Means, host: str) -> Server:
    door = means.visitor.door(host, LOOPBACK, ports.NEO4J)
    return Server(host=host, door=door, ca_file=means.visitor.ca_file)


def _take_over(means: Means, server: Server, report: Report) -> Iterator[Change]:
    """Give the admin the stack's password, if it has another one."""
    if way := _way_in(means, server):
        login, change = way
        report(server.host, change.says)
        with entered(server, login.name, means.values.secret(login.secret)) as graph:
            _admitted(graph, server.host).do(change)
        yield change


def _way_in(means: Means, server: Server) -> tuple[Login, Change] | None:
    """Who can set the admin's password, and how; None where it is the stack's already. Raises DeployError."""
    secret = means.values.secret
    if _opens(means, server, ADMIN):
        return None
    if _opens(means, server, FIRST):
        statement = "ALTER CURRENT USER SET PASSWORD FROM $old TO $new"
        passwords = {"old": secret(FIRST.secret), "new": secret(ADMIN.secret)}
        says = f"user {ADMIN.name}: set its own password"
        return FIRST, Change(says=says, statement=statement, parameters=passwords, database=SYSTEM)
    for login in SERVICES:  # the admin's secret is another one than the server was given
        if _opens(means, server, login):
            return login, _password(ADMIN, secret(ADMIN.secret))
    raise DeployError(
        "its graph takes none of the stack's passwords",
        server.host,
        f"that of {ADMIN.name}, first or last, or of a service",
        "was its data made by another stack, or are the stack's secrets another stack's?",
    )


def _lacking(means: Means, server: Server, graph: Graph) -> Iterator[Change]:
    yield from _users(means, server, graph)
    yield from content(means.stack, graph)


def _users(means: Means, server: Server, graph: Graph) -> Iterator[Change]:
    held = {row["user"] for row in graph.ask("SHOW USERS YIELD user", SYSTEM)}
    for login in SERVICES:
        if login.name not in held:
            statement = f"CREATE USER {login.name} SET PASSWORD $password CHANGE NOT REQUIRED"
            given = {"password": means.values.secret(login.secret)}
            yield Change(says=f"user {login.name}: create", statement=statement, parameters=given, database=SYSTEM)
        elif not _opens(means, server, login):
            yield _password(login, means.values.secret(login.secret))
    for name in sorted(held - {ADMIN.name, *(login.name for login in SERVICES)}):
        quoted = name.replace("`", "``")
        yield Change(says=f"user {name}: drop, nobody declared it", statement=f"DROP USER `{quoted}`", database=SYSTEM)


def _password(login: Login, password: str) -> Change:
    statement = f"ALTER USER {login.name} SET PASSWORD $password CHANGE NOT REQUIRED"
    given = {"password": password}
    return Change(says=f"user {login.name}: set its password", statement=statement, parameters=given, database=SYSTEM)


def _opens(means: Means, server: Server, login: Login) -> bool:
    with entered(server, login.name, means.values.secret(login.secret)) as graph:
        return graph is not None


def _admitted(graph: Graph | None, host: str) -> Graph:
    if graph is None:
        raise DeployError("its graph refuses a password that it has just taken", host, hint="repeat it")
    return graph
