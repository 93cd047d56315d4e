"""A node behind a wire that can be cut, which outlives its agent's restarts."""
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

from wire_cutter import WireCutter

PATIENCE_S = 30


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def processes():
    """pid -> (parent, name, command line) of every process there is."""
    found = {}
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            stat = (folder / "stat").read_text()
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # gone meanwhile
        name, rest = stat[stat.index("(") + 1:stat.rindex(")")], stat[stat.rindex(")") + 2:].split()
        if rest[0] != "Z":
            found[int(folder.name)] = (int(rest[1]), name, line)
    return found


class Node:
    """longwired with TLS on loopback, as its clients reach it: through `wire`."""

    def __init__(self, name, folder, binaries, environment):
        self.name, self.folder, self.binaries = name, folder / name, binaries
        self.environment = environment
        self.folder.mkdir()
        self.port = free_port()
        self.log = self.folder / "node.log"
        self.config = self.folder / "node.toml"
        self.config.write_text(
            f'name = "{name}"\n[listen]\nunix = ""\ntls = ["127.0.0.1:{self.port}"]\n'
            f'[state]\ndirectory = "{self.folder / "state"}"\ncache = "{self.folder / "cache"}"\n')
        self.restarts = 0
        self.stops = []  # (from, until): an agent that drains lets no link in
        self.agent = None
        self.start()
        self.wire = WireCutter(self.port)

    def start(self):
        listening = self.text().count("endpoint=tls://")
        with open(self.log, "a", encoding="utf-8") as log:
            self.agent = subprocess.Popen(
                [self.binaries / "longwired", "--config", self.config], stdout=log, stderr=log,
                env=self.environment)
        deadline = time.monotonic() + PATIENCE_S
        while self.text().count("endpoint=tls://") == listening:
            if time.monotonic() > deadline or self.agent.poll() is not None:
                raise RuntimeError(f"{self.name} does not start:\n{self.text()[-2000:]}")
            time.sleep(0.02)

    def restart(self, how, meanwhile=lambda: None):
        """SIGKILL is the agent's own death, SIGUSR1 the operator's restart, SIGTERM his stop."""
        began_at = time.monotonic()
        self.agent.send_signal(how)
        self.agent.wait(PATIENCE_S)
        if how == signal.SIGTERM:
            self.stops.append((began_at, time.monotonic()))
        meanwhile()
        self.restarts += 1
        self.start()

    def pair(self):
        desk = subprocess.Popen(
            [self.binaries / "longwire", "pair", "--state", self.folder / "state"], text=True,
            stdout=subprocess.PIPE, env=self.environment)
        code = next(found[1] for line in desk.stdout
                    if (found := re.search(r"longwire pair \S+:\d+ (\S+)", line)))
        # Through the wire: that is the address under which the client knows the node.
        subprocess.run([self.binaries / "longwire", "pair", f"127.0.0.1:{self.wire.port}", code],
                       check=True, capture_output=True, env=self.environment, timeout=PATIENCE_S)
        desk.communicate(timeout=PATIENCE_S)

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def address(self):
        return f"127.0.0.1:{self.wire.port}"

    def events(self, name):
        """The fields of each line of such an event in the log."""
        for line in self.text().splitlines():
            if f"{name} " in line:
                yield {key: value.strip('"')
                       for key, value in re.findall(r'(\w+)=("[^"]*"|\S+)', line)}

    def workers_in_use(self):
        """pid of the worker -> pid of the client, of the sessions that have not ended."""
        ended = {event["session"] for event in self.events("session.end")}
        return {int(event["pid"]): client_pid(event) for event in self.events("session.start")
                if event["session"] not in ended}

    def begun(self):
        """pids of the clients that have had a session."""
        return {client_pid(event) for event in self.events("session.start")}

    def workers(self):
        """Also those that an agent before this one has started."""
        return [pid for pid, (_, _, line) in processes().items()
                if "longwire-worker" in line and str(self.folder / "cache") in line]

    def stop(self):
        self.agent.send_signal(signal.SIGTERM)
        self.agent.wait(PATIENCE_S)
        self.wire.close()


def client_pid(event):
    return int(re.search(r"pid=(\d+)", event["peer"])[1])


def resident_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
