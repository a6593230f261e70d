"""Who may talk to whom: exactly what is needed, computed from the rendered policies."""

import pytest

from tests.unit.deploy.kubernetes.network import OWN, Address, Network, Pod
from tests.unit.deploy.kubernetes.rendering import Rendered, overlay

SERVERS = {"postgres": 5432, "redis": 6379, "minio": 9000}
#: Which components connect to which server, as the code does.
NEEDED = {
    "api": {"postgres", "redis", "minio"},
    "worker": {"postgres", "redis", "minio"},
    "sweeper": {"postgres", "redis"},
    "webhooks": {"postgres"},
    "prepare": {"postgres", "minio"},
    "postgres": set(),
    "redis": set(),
    "minio": set(),
}
OURS = ("api", "worker", "sweeper", "webhooks", "prepare")
INTERNET, INTRANET, METADATA = Address("198.51.100.7"), Address("10.1.2.3"), "169.254.169.254"
DNS = Pod({"k8s-app": "kube-dns"}, namespace="kube-system")


def network(rendered: Rendered) -> Network:
    return Network(tuple(rendered.of("NetworkPolicy")))


def pods(rendered: Rendered) -> dict[str, Pod]:
    return {each.name: Pod(each.labels) for each in rendered.workloads()}


def component(pod: Pod) -> str:
    return pod.labels["app.kubernetes.io/component"]


def test_every_pod_is_under_a_policy_in_both_directions(rendered: Rendered) -> None:
    nobody = network(rendered)
    stranger = Pod({"app": "other"}, namespace="other")
    for pod in [*pods(rendered).values(), Pod({"app": "added later"})]:
        assert not nobody.allows(pod, stranger, 443)
        assert not nobody.allows(stranger, pod, 8000)


def test_pods_reach_the_servers_they_use_and_nothing_else(rendered: Rendered) -> None:
    between, all_pods = network(rendered), pods(rendered)
    ports = {8000, *SERVERS.values()}
    there = {component(pod) for pod in all_pods.values()}
    for source in all_pods.values():
        reached = {
            (component(target), port)
            for target in all_pods.values()
            for port in ports
            if between.allows(source, target, port)
        }
        needed = NEEDED[component(source)] & there
        assert reached == {(server, SERVERS[server]) for server in needed}


def test_only_webhooks_call_out_and_only_to_the_internet(rendered: Rendered) -> None:
    policies = network(rendered)
    for pod in pods(rendered).values():
        assert policies.allows(pod, INTERNET, 443) is (component(pod) == "webhooks")
        assert policies.allows(pod, Address("2a00:1450::1"), 443) is (component(pod) == "webhooks")
        for inside in (INTRANET, Address(METADATA), Address("fd00::1"), Address("127.0.0.1")):
            assert not policies.allows(pod, inside, 443)


def test_names_are_resolved_by_the_clusters_dns_alone(rendered: Rendered) -> None:
    policies = network(rendered)
    for pod in pods(rendered).values():
        for protocol in ("UDP", "TCP"):
            assert policies.allows(pod, DNS, 53, protocol) is (component(pod) in OURS)
        other = Pod({"k8s-app": "other"}, namespace="kube-system")
        assert not policies.allows(pod, other, 53, "UDP")


def test_the_way_in_is_the_ingress_controllers(rendered: Rendered) -> None:
    policies = network(rendered)
    allowed = Pod({}, namespace="ingress", namespace_labels={"lesiongan/ingress": "allowed"})
    for pod in pods(rendered).values():
        assert policies.allows(allowed, pod, 8000) is (component(pod) == "api")
        for stranger in (Pod({}, namespace="ingress"), INTRANET):
            assert not policies.allows(stranger, pod, 8000)


@pytest.mark.parametrize("name", ["cpu", "gpu-autoscale"])
def test_keda_reads_the_ledger_where_it_is_used(name: str) -> None:
    rendered = overlay(name)
    keda = Pod({"app": "keda-operator"}, namespace="keda")
    for pod in pods(rendered).values():
        may = name == "gpu-autoscale" and component(pod) == "postgres"
        assert network(rendered).allows(keda, pod, 5432) is may
        assert not network(rendered).allows(keda, pod, 9000)


def test_servers_that_are_elsewhere_are_reached_by_address() -> None:
    rendered = overlay("external")
    addresses = {"postgres": "192.0.2.10", "redis": "192.0.2.11", "minio": "192.0.2.12"}
    ports = SERVERS | {"minio": 443}
    for pod in pods(rendered).values():
        for server, address in addresses.items():
            may = server in NEEDED[component(pod)] or component(pod) == "webhooks"
            assert network(rendered).allows(pod, Address(address), ports[server]) is may
            assert not network(rendered).allows(pod, Address("192.0.2.99"), 5432) or (
                component(pod) == "webhooks"
            )


def test_the_evaluation_follows_the_definition() -> None:
    """Two rules add up, an empty peer list is everybody, and no policy is an open door."""
    pod = Pod({"app": "a"})
    spec = {"podSelector": {"matchLabels": {"app": "a"}}, "policyTypes": ["Egress"]}
    assert Network(()).allows(pod, INTERNET, 1)
    assert not Network(({"spec": spec},)).allows(pod, INTERNET, 1)
    assert Network(({"spec": spec | {"egress": [{}]}},)).allows(pod, INTERNET, 1)
    only = spec | {"egress": [{"ports": [{"port": 1}]}, {"ports": [{"port": 2}]}]}
    assert Network(({"spec": only},)).allows(pod, INTERNET, 2)
    assert not Network(({"spec": only},)).allows(pod, INTERNET, 3)
    assert pod.namespace == OWN
