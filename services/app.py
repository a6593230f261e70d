"""All services in one process: the embedded stack, and the source of the one OpenAPI document."""

from services.augmentation.api import routers as augmentation
from services.classification.api import routers as classification
from services.gan.api import routers as gan
from services.gateway.api import routers as gateway
from services.preprocessing.api import routers as preprocessing
from shared.web.app import create_app

routers = [*gateway, *preprocessing, *augmentation, *gan, *classification]
app = create_app("all services", routers, watches_ledger=True)
