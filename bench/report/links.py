"""The ways to a device: natively, a private node over each kind of link, and longer wires to it."""
import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import tempfile

from . import limits

START_LIMIT_S = 60
STOP_LIMIT_S = 30
NODE_LINKS = ("unix", "tcp", "tls")
PEER = limits.PEER_LINK
# What a program that `longwire run` starts inherits, and we keep for the programs after it.
KEPT = ("LONGWIRE_", "OCL_ICD_")
HOLDER = ("import json, os, sys; "
          "print(json.dumps(dict(os.environ)), flush=True); sys.stdin.read()")


@dataclasses.dataclass(frozen=True)
class Shape:
    """A wire of the proxy's: name, round trip in ms, Mb/s per direction (0: no limit), and the
    largest transfer that is worth waiting for."""
    name: str
    rtt_ms: float
    mbit: float = 0
    largest_mib: int = 16


SHAPES = (
    Shape("proxy", 0),
    Shape("0.2 ms", 0.2),
    Shape("1 ms", 1),
    Shape("5 ms", 5),
    Shape("20 ms", 20),
    Shape("70 ms", 70),
    Shape("1 Gb/s", 0.2, 1000),
    Shape("100 Mb/s", 1, 100, 4),
)


@dataclasses.dataclass
class Link:
    """How a program reaches the device, and what a raw socket over the same way is."""
    name: str
    environment: dict
    server: int = 0  # the process whose tree is the other side; 0: none
    raw: str = ""    # address of the raw socket's server, "" where there is no wire

    def run_environment(self):
        return dict(os.environ, **self.environment)


def native_link():
    # An installed Longwire must not stand in for the native driver.
    return Link("native", {"LONGWIRE_DISABLE": "1"})


def peer_link(settings, server):
    """Another driver, from the NAME=VALUE lines of its environment."""
    lines = (line.strip() for line in settings.splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return Link(PEER, {"LONGWIRE_DISABLE": "1", **{name: value for name, _, value in pairs}}, server)


class Helper:
    """A program that says one line when it is ready and ends with its standard input."""

    def __init__(self, command):
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.line = self.process.stdout.readline().strip()
        if not self.line:
            self.close()
            raise RuntimeError(f"{command[0]} did not start")

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Lab:
    """Starts nodes, proxies and raw sockets when they are first asked for, and ends them all."""

    def __init__(self, binaries, peer=None):
        self.binaries, self._peer = binaries, peer
        self._stack = contextlib.ExitStack()
        self._scratch = self._stack.enter_context(
            tempfile.TemporaryDirectory(prefix="longwire-bench-"))
        self._nodes, self._raw = {}, {}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._stack.close()

    def link(self, kind):
        """native, unix, tcp, tls or peer, as it is."""
        if kind == "native":
            return native_link()
        if kind == PEER:
            return dataclasses.replace(self._peer, raw=self._raw_server("tcp"))
        environment, server = self._node(kind)
        return Link(kind, environment, server, self._raw_server("unix" if kind == "unix" else "tcp"))

    @contextlib.contextmanager
    def longer(self, kind, shape):
        """The node of `kind` (tcp or tls), and a raw socket, at the far end of such a wire."""
        environment, server = self._node(kind)
        prefix, address = split_node(environment["LONGWIRE_NODES"])
        with contextlib.ExitStack() as stack:
            node = self._proxy(stack, address, shape)
            raw = self._proxy(stack, self._raw_server("tcp"), shape)
            name = shape.name if kind == "tcp" else f"{kind}, {shape.name}"
            yield Link(name, dict(environment, LONGWIRE_NODES=prefix + node), server, raw)

    def _proxy(self, stack, address, shape):
        helper = Helper([self.binaries / "longwire_bench_proxy", "--to", address,
                         "--rtt-ms", shape.rtt_ms, "--mbit", shape.mbit])
        stack.callback(helper.close)
        return helper.line

    def _node(self, kind):
        if kind not in self._nodes:
            helper = Helper([self.binaries / "longwire", "run", f"--local={kind}", "--",
                             sys.executable, "-c", HOLDER])
            self._stack.callback(helper.close)
            self._nodes[kind] = (kept_environment(json.loads(helper.line)), helper.process.pid)
        return self._nodes[kind]

    def _raw_server(self, kind):
        if kind not in self._raw:
            address = f"unix:{self._scratch}/raw.sock" if kind == "unix" else "127.0.0.1:0"
            helper = Helper([self.binaries / "longwire_bench_socket", "serve", "--listen", address])
            self._stack.callback(helper.close)
            self._raw[kind] = helper.line
        return self._raw[kind]


def kept_environment(environment):
    return {name: value for name, value in environment.items() if name.startswith(KEPT)}


def split_node(node):
    """("tcp:", "host:port") of a node in the clear, ("", "host:port") of one with TLS."""
    return ("tcp:", node[4:]) if node.startswith("tcp:") else ("", node)
