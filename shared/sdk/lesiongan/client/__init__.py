"""The clients of the HTTP API: typed, and patient with servers that restart."""

from lesiongan.client.client import AsyncClient, Client
from lesiongan.client.generating import GeneratedZip, StreamProgress
from lesiongan.client.sse import JobEvent

__all__ = ["AsyncClient", "Client", "GeneratedZip", "JobEvent", "StreamProgress"]
