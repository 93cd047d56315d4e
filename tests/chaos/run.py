#!/usr/bin/env python3
"""Eight programs on two nodes while everything around them breaks.

    tests/chaos/run.py [--minutes 10] [--seed N] [--build build/release]

Every second the links of a node are cut: closed, reset, or silenced for up to two seconds. Workers
and clients are killed, agents killed and restarted. A program that survives must have the right
result, from exactly as many commands as without any of that; one whose worker was killed must end
with an error, soon; nothing may be left over. Exit status 0 when all of that holds.
"""
import argparse
import collections
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "node" / "programs"))

from node import Node, client_pid, open_files, processes, resident_kib  # noqa: E402
from programs import QUIET_SANITIZERS  # noqa: E402

CLIENTS = 8
ROUNDS = 12                # of a client: a few seconds, in which it is cut several times
CUT_EVERY_S = 1.0
KILL_WORKER_EVERY_S = 7.0
KILL_CLIENT_EVERY_S = 5.0
RESTART_AGENT_EVERY_S = 23.0
LONGEST_SILENCE_S = 2.0
CLIENT_LIMIT_S = 300       # one that needs longer hangs
ERROR_LIMIT_S = 2.0        # after its worker's death a program has its error
LAST_UNSENT = 8            # releases at the end of a program, which nobody waits for
STOP_LIMIT_S = 3.0         # after its node's stop the same
SETTLE_S = 20.0            # after the last client everything is gone
AGENT_GROWTH_KIB = 16 << 10


class Chaos:
    def __init__(self, build, seed, seconds):
        self.build, self.random = build, random.Random(seed)
        self.seed, self.seconds = seed, seconds
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lw-chaos-", dir="/tmp"))
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(self.folder),
                            "LONGWIRE_CONFIG_HOME": str(self.folder / "home"), **QUIET_SANITIZERS}
        self.outcomes = collections.Counter()
        self.faults = collections.Counter()
        self.wrong = []              # what must not be
        self.lock = threading.Lock()
        self.running = {}            # client process -> (node, when it began)
        self.right = set()           # pids of the clients that came to their end
        self.killed_workers = {}     # pid of the client -> when its worker was killed
        self.over = threading.Event()

    def count(self, what, how):
        with self.lock:
            what[how] += 1

    def complain(self, text):
        with self.lock:
            self.wrong.append(text)
        print(f"WRONG: {text}", flush=True)

    # --- programs ---

    def start_client(self, node):
        driver = (self.build / "lib" / "liblongwire_opencl.so").resolve()
        environment = dict(self.environment, OCL_ICD_VENDORS=str(driver),
                           LONGWIRE_NODES=node.address(), LONGWIRE_CONNECT_TIMEOUT_MS="20000")
        return subprocess.Popen([self.build / "tests" / "counting", str(ROUNDS)], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)

    def run_clients(self, node):
        while not self.over.is_set():
            client = self.start_client(node)
            with self.lock:
                self.running[client] = node
            try:
                out, err = client.communicate(timeout=CLIENT_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.complain(f"a client of {node.name} hangs (pid {client.pid})")
                client.kill()
                out, err = client.communicate()
            ended_at = time.monotonic()
            with self.lock:
                del self.running[client]
            self.judge(client, node, out, err, ended_at)

    def judge(self, client, node, out, err, ended_at):
        if client.returncode == -signal.SIGKILL:
            return self.count(self.outcomes, "client killed")
        if client.returncode == 0 and out.endswith("right\n"):
            self.right.add(client.pid)
            return self.count(self.outcomes, "right")
        if "running" not in out:  # the node was cut off, or down: no session came to be
            return self.count(self.outcomes, "could not begin")
        text = f"{out}{err}".strip().replace("\n", " | ")
        killed_at = self.killed_workers.get(client.pid)
        if client.returncode == 1 and "wrong bytes" not in out and killed_at is not None:
            if ended_at - killed_at > ERROR_LIMIT_S:
                self.complain(f"its worker dead, a client took {ended_at - killed_at:.1f} s: {text}")
            return self.count(self.outcomes, "error: worker killed")
        if client.returncode == 1 and any(began <= ended_at <= ended + STOP_LIMIT_S
                                          for began, ended in list(node.stops)):
            return self.count(self.outcomes, "error: cut while its node was stopping")
        self.count(self.outcomes, "failed")
        self.complain(f"client {client.pid} of {node.name}, status {client.returncode}: {text}")
        return None

    # --- faults ---

    def every(self, seconds, act):
        """Calls act(a generator of its own) until it is over, in a thread of its own."""
        generator = random.Random(self.random.random())

        def loop():
            while not self.over.wait(seconds * generator.uniform(0.5, 1.5)):
                act(generator)
        thread = threading.Thread(target=loop, daemon=True)
        thread.start()
        return thread

    def cut(self, generator):
        node = generator.choice(self.nodes)
        how = generator.choice(("reset", "close", "silence"))
        if how == "silence":
            node.wire.silence()
            time.sleep(generator.uniform(0.1, LONGEST_SILENCE_S))
            node.wire.speak()
        else:
            node.wire.cut(how == "reset")
        self.count(self.faults, f"links cut: {how}")

    def kill_worker(self, generator):
        node = generator.choice(self.nodes)
        workers = node.workers_in_use()
        if not workers:
            return
        worker, client = generator.choice(sorted(workers.items()))
        with self.lock:
            self.killed_workers[client] = time.monotonic()
        if kill(worker):
            self.count(self.faults, "workers killed")

    def kill_client(self, generator):
        with self.lock:
            running = [client for client in self.running if client.poll() is None]
        if running:
            generator.choice(running).kill()
            self.count(self.faults, "clients killed")

    def restart_agent(self, generator):
        """After SIGKILL and SIGUSR1 the next agent must find the sessions, and bring links back that
        were cut while there was none, or are cut now."""
        how = generator.choice((signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1))
        node = generator.choice(self.nodes)
        node.restart(how, meanwhile=lambda: generator.random() < 0.5 and node.wire.cut())
        node.wire.cut()
        self.count(self.faults, f"agents restarted after {how.name}")

    # --- before and after ---

    def commands_of_a_quiet_run(self, node):
        client = self.start_client(node)
        out, err = client.communicate(timeout=CLIENT_LIMIT_S)
        if client.returncode != 0:
            raise RuntimeError(f"even in peace: {out}{err}")
        wait_until(lambda: any(node.events("session.end")), SETTLE_S)
        return next(node.events("session.end"))["commands"]

    def check_leftovers(self, before):
        for node in self.nodes:
            if not wait_until(lambda node=node: not node.workers_in_use(), SETTLE_S):
                self.complain(f"{node.name}: sessions left: {node.workers_in_use()}")
            spare = [pid for pid in node.workers() if processes()[pid][0] == node.agent.pid]
            if len(spare) != len(node.workers()):
                self.complain(f"{node.name}: workers that no agent knows: {node.workers()}")
            grown = resident_kib(node.agent.pid) - before[node][0]
            if grown > AGENT_GROWTH_KIB:
                self.complain(f"{node.name}: the agent has grown by {grown} KiB")
            # The wire's side of connections that were cut may take a moment.
            if not wait_until(lambda node=node: open_files(node.agent.pid) <= before[node][1] + 2,
                              SETTLE_S):
                self.complain(f"{node.name}: {open_files(node.agent.pid)} open files, "
                              f"at first {before[node][1]}")

    def check_commands(self, quiet):
        """A session whose program came to its end ran each command once, no more and no less."""
        for node in self.nodes:
            # Of one that ended while no agent was there nobody knows the number.
            ends = {client_pid(event): event["commands"] for event in node.events("session.end")
                    if event["outcome"] != "unknown"}
            unseen = {client_pid(event) for event in node.events("session.end")} - set(ends)
            self.outcomes[f"sessions of {node.name} that ended without an agent"] = len(unseen)
            found = {client_pid(event) for event in node.events("session.found")}
            self.outcomes[f"sessions of {node.name} found again that came to a right end"] = len(
                found & self.right)
            # A program that ends while its link is cut: what it waits for no more may not have gone.
            cut_off = {client_pid(event) for event in node.events("session.end")
                       if event["outcome"] == "link lost"}
            counts = [ends.get(client) for client in self.right - unseen if client in node.begun()]
            most = {ends.get(client) for client in self.right & cut_off if client in ends}
            for commands in counts:
                fewer = commands in most and 0 <= int(quiet) - int(commands) <= LAST_UNSENT
                if commands != quiet and not fewer:
                    self.complain(f"{node.name}: {commands} commands instead of {quiet}")
            self.outcomes[f"sessions of {node.name} that ran {quiet} commands"] = counts.count(quiet)

    def run(self):
        self.nodes = [Node(name, self.folder, self.build / "bin", self.environment)
                      for name in ("left", "right")]
        for node in self.nodes:
            node.pair()
        quiet = self.commands_of_a_quiet_run(self.nodes[0])
        before = {node: (resident_kib(node.agent.pid), open_files(node.agent.pid))
                  for node in self.nodes}
        clients = [threading.Thread(target=self.run_clients, args=(self.nodes[i % 2],))
                   for i in range(CLIENTS)]
        faults = [self.every(CUT_EVERY_S, self.cut),
                  self.every(KILL_WORKER_EVERY_S, self.kill_worker),
                  self.every(KILL_CLIENT_EVERY_S, self.kill_client),
                  self.every(RESTART_AGENT_EVERY_S, self.restart_agent)]
        for client in clients:
            client.start()
        time.sleep(self.seconds)
        self.over.set()
        for thread in faults + clients:
            thread.join()
        self.check_leftovers(before)
        self.check_commands(quiet)

    def close(self):
        for node in getattr(self, "nodes", []):
            node.stop()
        if not self.wrong:
            shutil.rmtree(self.folder, ignore_errors=True)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def wait_until(holds, seconds):
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    options = parser.parse_args()
    print(f"chaos: seed {options.seed}, {options.minutes} minutes", flush=True)
    chaos = Chaos(options.build.resolve(), options.seed, options.minutes * 60)
    try:
        chaos.run()
    finally:
        chaos.close()
    for title, table in (("faults", chaos.faults), ("outcomes", chaos.outcomes)):
        print(f"{title}:")
        for name, number in sorted(table.items()):
            print(f"  {number:6} {name}")
    if chaos.outcomes["right"] == 0:
        chaos.wrong.append("no program came to its end")
    print(f"{len(chaos.wrong)} wrong" + (f", see {chaos.folder}" if chaos.wrong else ""))
    return 1 if chaos.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
