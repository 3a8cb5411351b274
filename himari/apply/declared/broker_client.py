"""A broker through the Kafka admin protocol: what it holds, and making it hold what it lacks."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from himari.apply.declared.broker_changes import Changes, Held, Rule
from himari.catalog.broker import Topic
from himari.stack.errors import DeployError, HostError

SECONDS = 10.0
ITERATIONS = 4096  # the protocol's least: a password is 256 random bits, which no count of rounds makes harder to guess
INTERNAL = "__"  # begins the names of topics that are the broker's own
_RESOURCES = {"cluster": ResourceType.BROKER, "transactional_id": ResourceType.TRANSACTIONAL_ID}
_ANY: Any = None  # its stubs know of no filter that leaves a name open


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a broker is reached from here, and whom to trust there."""

    host: str
    address: str
    port: int
    ca_file: Path

    def config(self, **more: Any) -> dict[str, Any]:
        """A client's settings."""
        return {
            "bootstrap.servers": f"{self.address}:{self.port}",
            "ssl.ca.location": str(self.ca_file),
            "broker.address.family": "v4",
            "log_level": 2,
            **{key.replace("_", "."): value for key, value in more.items()},
        }


class Client:
    """The operator, who is known by a certificate."""

    def __init__(self, place: Place, certificate: str, key: str) -> None:
        self._place = place
        self._said: list[KafkaError] = []
        settings = place.config(security_protocol="SSL", ssl_certificate_pem=certificate, ssl_key_pem=key)
        settings["error_cb"] = self._said.append
        self._admin: Any = AdminClient(settings)

    def held(self) -> Held:
        """All that the broker holds but data. Raises HostError when it cannot be reached, DeployError."""
        metadata = _metadata(self._place, "topics", self._admin, self._said)
        self._refuse_strangers()
        names = [name for name in metadata.topics if not name.startswith(INTERNAL)]
        configs = self._configs(names)
        every = AclBindingFilter(
            ResourceType.ANY,
            _ANY,
            ResourcePatternType.ANY,
            _ANY,
            _ANY,
            AclOperation.ANY,
            AclPermissionType.ANY,
        )
        bindings = self._asked("rights", lambda: self._admin.describe_acls(every).result(SECONDS))
        described = self._asked("users", lambda: self._admin.describe_user_scram_credentials().result(SECONDS))
        partitions = {name: len(metadata.topics[name].partitions) for name in names}
        return Held(
            topics={name: Topic(name=name, partitions=partitions[name], config=configs[name]) for name in names},
            users=frozenset(described),
            rules=frozenset(map(_rule, bindings)),
        )

    def _refuse_strangers(self) -> None:
        # librdkafka ends the whole process where it is refused what only an admin may ask.
        asked = self._admin.describe_cluster(include_authorized_operations=True)
        may = self._asked("rights", lambda: asked.result(SECONDS)).authorized_operations
        if AclOperation.ALTER not in (may or ()):
            raise DeployError("its broker takes the operator for no admin", self._place.host, "a super user's name")

    def make(self, found: Changes, passwords: Mapping[str, str]) -> None:
        """Do what `found` says, with the passwords of its users. Raises as `held` does."""
        self._topics(found)
        salted = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
        users: list[Any] = [
            UserScramCredentialUpsertion(one.name, salted, passwords[one.name].encode()) for one in found.users
        ]
        users += [UserScramCredentialDeletion(name, ScramMechanism.SCRAM_SHA_512) for name in found.departed]
        if users:
            self._all("users", lambda: self._admin.alter_user_scram_credentials(users))
        if found.granted:
            self._all("rights", lambda: self._admin.create_acls([_binding(rule) for rule in found.granted]))
        if found.withdrawn:
            self._all("rights", lambda: self._admin.delete_acls([_filter(rule) for rule in found.withdrawn]))

    def _topics(self, found: Changes) -> None:
        if found.remade:
            self._remove([topic.name for topic in found.remade])
        created = [NewTopic(one.name, one.partitions, 1, config=one.config) for one in (*found.remade, *found.created)]
        if created:
            self._all("topics", lambda: self._admin.create_topics(created))
        if found.grown:
            more = [NewPartitions(topic.name, topic.partitions) for topic in found.grown]
            self._all("partitions", lambda: self._admin.create_partitions(more))
        if found.settings:
            changed = [_altered(name, settings) for name, settings in found.settings.items()]
            self._all("settings", lambda: self._admin.incremental_alter_configs(changed))

    def _remove(self, names: list[str]) -> None:
        self._all("topics", lambda: self._admin.delete_topics(names))
        deadline = time.monotonic() + SECONDS
        while set(names) & self._asked("topics", lambda: self._admin.list_topics(timeout=SECONDS)).topics.keys():
            if time.monotonic() > deadline:
                raise DeployError(f"{', '.join(names)}: not gone after {SECONDS:.0f} s", self._place.host)
            time.sleep(0.1)

    def _configs(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        if not resources:
            return {}
        answers = self._all("settings", lambda: self._admin.describe_configs(resources))
        return {resource.name: {key: one.value for key, one in held.items()} for resource, held in answers.items()}

    def _all(self, what: str, ask: Any) -> dict[Any, Any]:
        """The answers to a request about several things."""
        answers: dict[Any, Any] = self._asked(
            what, lambda: {of: future.result(SECONDS) for of, future in ask().items()}
        )
        return answers

    def _asked(self, what: str, ask: Any) -> Any:
        try:
            return ask()
        except KafkaException as error:
            raise _told(self._place, what, error.args[0], self._said) from None
        except TimeoutError:
            raise HostError(f"its broker's {what}: no answer within {SECONDS:.0f} s", self._place.host) from None


def logs_in(place: Place, user: str, password: str) -> bool:
    """Whether the broker lets `user` in with `password`. Raises HostError when it cannot be reached."""
    said: list[KafkaError] = []
    login = place.config(
        security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-512", sasl_username=user, sasl_password=password
    )
    try:
        _metadata(place, f"login as {user}", Producer({**login, "error_cb": said.append}), said)
    except HostError:
        if any(one.code() == KafkaError._AUTHENTICATION for one in said):
            return False
        raise
    return True


def _metadata(place: Place, what: str, client: Any, said: list[KafkaError]) -> Any:
    """The broker's topics as `client` sees them, which notes in `said` what it meets; a refusal ends it at once."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            return client.list_topics(timeout=0.5)
        except KafkaException as error:
            client.poll(0)
            if any(map(_refuses, said)) or time.monotonic() > deadline:
                raise _told(place, what, error.args[0], said) from None


def _refuses(error: KafkaError) -> bool:
    """Whether trying again is of no use. TLS 1.3 refuses a caller's certificate after the handshake, by an alert."""
    return error.code() in (KafkaError._AUTHENTICATION, KafkaError._SSL) or "SSL alert" in error.str()


def _told(place: Place, what: str, error: KafkaError, said: list[KafkaError]) -> HostError | DeployError:
    """The failure in the operator's words; what the client was told before explains a connection that failed."""
    if error.code() not in (KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN):
        return DeployError(f"its broker refuses {what}: {error.str()}", place.host)
    told = (one.str().partition(" (after")[0] for one in said if one.code() != KafkaError._ALL_BROKERS_DOWN)
    why = "; ".join(dict.fromkeys(told))
    return HostError(
        f"its broker's {what}: {why or error.str()}",
        place.host,
        "a broker that answers",
        "himari status says how it is",
    )


def _altered(topic: str, settings: Mapping[str, str]) -> ConfigResource:
    entries = [ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in settings.items()]
    return ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)


def _rule(held: Any) -> Rule:
    resource = "cluster" if held.restype == ResourceType.BROKER else held.restype.name.lower()
    return Rule(
        held.principal,
        held.operation.name.lower(),
        resource,
        held.name,
        held.resource_pattern_type.name.lower(),
        held.permission_type.name.lower(),
        held.host,
    )


def _fields(rule: Rule) -> tuple[Any, ...]:
    return (
        _RESOURCES.get(rule.resource) or ResourceType[rule.resource.upper()],
        rule.name,
        ResourcePatternType[rule.pattern.upper()],
        rule.principal,
        rule.host,
        AclOperation[rule.operation.upper()],
        AclPermissionType[rule.permission.upper()],
    )


def _binding(rule: Rule) -> AclBinding:
    return AclBinding(*_fields(rule))


def _filter(rule: Rule) -> AclBindingFilter:
    return AclBindingFilter(*_fields(rule))
