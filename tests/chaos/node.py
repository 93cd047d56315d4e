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
DRAIN_MS = 4000          # shorter than some programs take: those end with an error


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

    def __init__(self, name, folder, binaries, environment, grace_after_close_ms=None):
        """None: the default's grace after a close."""
        self.name, self.folder, self.binaries = name, folder / name, binaries
        self.environment = environment
        self.folder.mkdir()
        self.port = free_port()
        self.log = self.folder / "node.log"
        self.config = self.folder / "node.toml"
        grace = f"grace_after_close_ms = {grace_after_close_ms}\n" if grace_after_close_ms else ""
        self.config.write_text(
            f'name = "{name}"\n[listen]\nunix = ""\ntls = ["127.0.0.1:{self.port}"]\n'
            f'[limits]\ndrain_ms = {DRAIN_MS}\n{grace}'
            f'[state]\ndirectory = "{self.folder / "state"}"\ncache = "{self.folder / "cache"}"\n')
        self.away = []  # (from, until) on the monotonic clock: nobody could be reached
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
        self.agent.send_signal(how)
        self.agent.wait(PATIENCE_S)
        gone_at = time.monotonic()
        meanwhile()
        self.start()
        self.away.append((gone_at, time.monotonic()))

    def be_silent(self, seconds):
        began_at = time.monotonic()
        self.wire.silence()
        time.sleep(seconds)
        self.wire.speak()
        self.away.append((began_at, time.monotonic()))

    def reachable_s(self, since, until):
        """How much of that time somebody could be reached. Ask when all of `away` is known."""
        reachable, at = 0.0, since
        for began_at, ended_at in sorted(self.away):
            reachable += max(0.0, min(began_at, until) - at)
            at = max(at, min(ended_at, until))
        return reachable + max(0.0, until - at)

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
        """pid of the worker -> program, of the sessions that have not ended."""
        ended = {event["session"] for event in self.events("session.end")}
        return {int(event["pid"]): event["program"] for event in self.events("session.start")
                if event["session"] not in ended}

    def sessions(self):
        """Program -> the events that ended its sessions, or None for one that has not ended."""
        ends = {event["session"]: event for event in self.events("session.end")}
        found = {}
        for event in self.events("session.start"):
            found.setdefault(event["program"], []).append(ends.get(event["session"]))
        return found

    def programs_found_again(self):
        return {event["program"] for event in self.events("session.found")}

    def workers(self):
        """Also those that an agent before this one has started."""
        return [pid for pid, (_, _, line) in processes().items()
                if "longwire-worker" in line and str(self.folder / "cache") in line]

    def stop(self):
        self.agent.send_signal(signal.SIGTERM)
        self.agent.wait(PATIENCE_S)
        self.wire.close()


def resident_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
