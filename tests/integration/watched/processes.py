"""Processes of ours that are watched: an API and a worker, and a receiver of their traces."""

import gzip
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.processes import die_with_parent
from deploy.local.servers import Servers

#: Name and labels, in order, to the value.
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Collector:
    """Takes traces by OTLP over HTTP, and keeps them."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Span]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.keep(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing is to be read on the console."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def keep(self, body: bytes) -> None:
        """Take what one request brought: (process, span)."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {each.key: each.value.string_value for each in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [(named["service.name"], span) for span in scope.spans]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def worker(
    servers: Servers, log: Path, queues: str, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process, asked to stop at the end."""
    module = ("services.worker", "--queues", queues, "--name", "watched")
    with log.open("wb") as sink:
        process = subprocess.Popen(
            (sys.executable, "-m", *module),
            env={**os.environ, **servers.environment, **environment},
            stdout=sink,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no lock is taken in it
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def scrape(url: str) -> Samples:
    """What a process exposes, once it answers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            text = httpx.get(f"{url}/metrics", trust_env=False).raise_for_status().text
            break
        except httpx.TransportError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    """One sample; 0 where nothing was counted."""
    return samples.get((name, tuple(sorted(labels.items()))), 0.0)
