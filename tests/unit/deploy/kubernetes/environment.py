"""What a container's variables are once Kubernetes has put them together."""

import re

from deploy.env import complete
from tests.unit.deploy.kubernetes.rendering import Manifest, Rendered, amount

#: The Secret, as ``make env`` and ``kubectl create secret generic --from-env-file`` make it.
SECRET = dict(line.split("=", 1) for line in complete("").splitlines() if line[0] != "#")


def variables(rendered: Rendered, container: Manifest) -> dict[str, str]:
    """``envFrom``, then ``env`` in its order; ``$(NAME)`` is one of ``env`` that stands before.

    Raises :class:`KeyError` for a name, map or key that is not there.
    """
    maps = {each["metadata"]["name"]: each["data"] for each in rendered.of("ConfigMap")}
    given: dict[str, str] = {}
    for source in container.get("envFrom", []):
        given |= maps[source["configMapRef"]["name"]]
    own: dict[str, str] = {}
    for entry in container.get("env", []):
        if "value" in entry:
            own[entry["name"]] = re.sub(
                r"\$\((\w+)\)", lambda found: own[found[1]], str(entry["value"])
            )
        else:
            own[entry["name"]] = _looked_up(entry["valueFrom"], maps, container)
    return given | own


def _looked_up(source: Manifest, maps: dict[str, dict[str, str]], container: Manifest) -> str:
    (kind,) = source
    reference = source[kind]
    if kind == "configMapKeyRef":
        return maps[reference["name"]][reference["key"]]
    if kind == "secretKeyRef":
        assert reference["name"] == "lesiongan"
        return SECRET[reference["key"]]
    assert kind == "resourceFieldRef"
    assert reference["containerName"] == container["name"]
    _, resource = reference["resource"].split(".")
    return str(int(amount(container["resources"]["limits"][resource])))
