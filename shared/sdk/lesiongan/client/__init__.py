"""The client of the HTTP API: typed, synchronous, and patient with servers that restart."""

from lesiongan.client.client import Client
from lesiongan.client.generating import GeneratedZip, StreamProgress
from lesiongan.client.sse import JobEvent

__all__ = ["Client", "GeneratedZip", "JobEvent", "StreamProgress"]
