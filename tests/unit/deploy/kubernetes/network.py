"""NetworkPolicies as the API defines them: who may open a connection to whom.

Rules of one direction add up; a pod that no policy of a direction selects is open in it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from tests.unit.deploy.kubernetes.selecting import selects

OWN = "lesiongan"


@dataclass(frozen=True)
class Pod:
    """One in the cluster, of ours unless its namespace says otherwise."""

    labels: Mapping[str, str]
    namespace: str = OWN
    namespace_labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Address:
    """Somebody who is no pod."""

    ip: str


Party = Pod | Address


@dataclass(frozen=True)
class Network:
    """Our namespace under its policies."""

    policies: tuple[dict[str, Any], ...]

    def allows(self, source: Party, target: Party, port: int, protocol: str = "TCP") -> bool:
        return self._lets("Egress", source, target, port, protocol) and self._lets(
            "Ingress", target, source, port, protocol
        )

    def _lets(self, direction: str, own: Party, peer: Party, port: int, protocol: str) -> bool:
        if isinstance(own, Address) or own.namespace != OWN:
            return True  # not under these policies
        about = [p["spec"] for p in self.policies if direction in p["spec"]["policyTypes"]]
        about = [spec for spec in about if selects(spec["podSelector"], own.labels)]
        key, side = ("egress", "to") if direction == "Egress" else ("ingress", "from")
        rules = [rule for spec in about for rule in spec.get(key) or []]
        return not about or any(
            _is_port(rule.get("ports"), port, protocol) and _is_peer(rule.get(side), peer)
            for rule in rules
        )


def _is_port(ports: Iterable[Mapping[str, Any]] | None, port: int, protocol: str) -> bool:
    return ports is None or any(
        each["port"] == port and each.get("protocol", "TCP") == protocol for each in ports
    )


def _is_peer(peers: Iterable[Mapping[str, Any]] | None, party: Party) -> bool:
    return peers is None or any(_matches(each, party) for each in peers)


def _matches(peer: Mapping[str, Any], party: Party) -> bool:
    if "ipBlock" in peer:
        return isinstance(party, Address) and _within(peer["ipBlock"], party.ip)
    if isinstance(party, Address):
        return False
    if "namespaceSelector" in peer:
        named = {"kubernetes.io/metadata.name": party.namespace, **party.namespace_labels}
        here = selects(peer["namespaceSelector"], named)
    else:
        here = party.namespace == OWN
    return here and selects(peer.get("podSelector", {}), party.labels)


def _within(block: Mapping[str, Any], ip: str) -> bool:
    address = ip_address(ip)
    return address in ip_network(block["cidr"]) and not any(
        address in ip_network(each) for each in block.get("except", [])
    )
