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
import dataclasses
import datetime
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

from node import Node, open_files, processes, resident_kib  # noqa: E402
from programs import QUIET_SANITIZERS  # noqa: E402

# A link that is cut just before a silence looks as a killed program to the node, which by default
# gives that up after 1.2 s; here it must wait for as long as a silence may last.
GRACE_AFTER_CLOSE_MS = 4000
CLIENTS = 8
ROUNDS = 12                # of a client: a few seconds, in which it is cut several times
CUT_EVERY_S = 1.0
KILL_WORKER_EVERY_S = 7.0
KILL_CLIENT_EVERY_S = 5.0
RESTART_AGENT_EVERY_S = 23.0
LONGEST_SILENCE_S = 2.0
CLIENT_LIMIT_S = 300       # one that needs longer hangs
# After its worker's death a program has its error: of the time in which its node could be reached,
# on a machine that has a processor for everybody; at twice the load after twice the time.
ERROR_LIMIT_S = 2.0
PAUSE_S = 0.2              # after a program that could not begin
SETTLE_S = 20.0            # after the last client everything is gone
AGENT_GROWTH_KIB = 16 << 10


@dataclasses.dataclass
class Client:
    program: str
    node: Node
    process: subprocess.Popen
    worker_killed_at: float = None
    ended_at: float = None
    load: float = 0.0          # of a processor, when it ended
    text: str = ""             # what it has printed

    def could_not_begin(self):
        """The node was cut off, or down: no session came to be."""
        return self.text.startswith(("clGetPlatformIDs: ", "clGetDeviceIDs: "))


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
        self.started = 0
        self.clients = []
        self.right = set()           # the programs that came to their end
        self.slowest_error_s = 0.0   # after a worker's death
        self.over = threading.Event()

    def count(self, what, how):
        with self.lock:
            what[how] += 1

    def complain(self, text):
        with self.lock:
            self.wrong.append(text)
        print(f"WRONG: {text}", flush=True)

    def note(self, fault):
        """When it was over, as the nodes' logs have the time."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%H:%M:%S.%f")[:-3]
        with self.lock, open(self.folder / "faults.log", "a", encoding="utf-8") as log:
            log.write(f"{now} {fault}\n")

    # --- programs ---

    def start_client(self, node):
        driver = (self.build / "lib" / "liblongwire_opencl.so").resolve()
        environment = dict(self.environment, OCL_ICD_VENDORS=str(driver),
                           LONGWIRE_NODES=node.address(), LONGWIRE_CONNECT_TIMEOUT_MS="20000")
        with self.lock:
            self.started += 1
            program = f"counting-{self.started}"  # by this the node's log calls it, too
        process = subprocess.Popen([program, str(ROUNDS)], text=True, env=environment,
                                   executable=self.build / "tests" / "counting",
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return Client(program, node, process)

    def run_clients(self, node):
        while not self.over.is_set():
            client = self.start_client(node)
            with self.lock:
                self.clients.append(client)
            try:
                out, err = client.process.communicate(timeout=CLIENT_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.complain(f"{client.program} of {node.name} hangs (pid {client.process.pid})")
                client.process.kill()
                out, err = client.process.communicate()
            client.ended_at = time.monotonic()
            client.load = os.getloadavg()[0] / os.cpu_count()
            client.text = f"{out}{err}".strip().replace("\n", " | ")
            if client.could_not_begin():
                time.sleep(PAUSE_S)

    # What has become of a client; what must not be is said aloud. After the end of all of it, as the
    # node writes down what has become of its session after the client has heard of it.
    def outcome(self, client):
        status = client.process.returncode
        if status == -signal.SIGKILL:
            return "client killed"
        if status == 0 and client.text.endswith("right"):
            return "right"
        if client.could_not_begin():
            return "could not begin"
        wrong_bytes = status != 1 or "wrong bytes" in client.text
        if client.worker_killed_at is not None and not wrong_bytes:
            return self.error_of_a_killed_worker(client)
        ends = client.node.sessions().get(client.program, [])
        if not wrong_bytes and any(end and "the node went down" in end["reason"] for end in ends):
            return "error: its node was stopped before it had ended"
        self.complain(f"{client.program} of {client.node.name}, status {status}: {client.text}")
        return "failed"

    def error_of_a_killed_worker(self, client):
        took = client.node.reachable_s(client.worker_killed_at, client.ended_at)
        self.slowest_error_s = max(self.slowest_error_s, took)
        if took > ERROR_LIMIT_S * max(1.0, client.load):
            self.complain(f"its worker dead, {client.program} of {client.node.name} took {took:.1f} s "
                          f"while its node was there, at a load of {client.load:.1f}: {client.text}")
        return "error: worker killed"

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
            node.be_silent(generator.uniform(0.1, LONGEST_SILENCE_S))
        else:
            node.wire.cut(how == "reset")
        self.count(self.faults, f"links cut: {how}")
        self.note(f"{node.name} was cut: {how}")

    def kill_worker(self, generator):
        node = generator.choice(self.nodes)
        workers = node.workers_in_use()
        if not workers:
            return
        worker, program = generator.choice(sorted(workers.items()))
        if worker not in node.workers():
            return  # it has ended meanwhile
        for client in self.clients:
            if client.program == program:
                client.worker_killed_at = time.monotonic()
        if kill(worker):
            self.note(f"{program} of {node.name}: its worker {worker} was killed")
            self.count(self.faults, "workers killed")

    def kill_client(self, generator):
        with self.lock:
            running = [client for client in self.clients if client.process.poll() is None]
        if running:
            generator.choice(running).process.kill()
            self.count(self.faults, "clients killed")

    def restart_agent(self, generator):
        """After SIGKILL and SIGUSR1 the next agent must find the sessions, and bring links back that
        were cut while there was none, or are cut now."""
        how = generator.choice((signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1))
        node = generator.choice(self.nodes)
        node.restart(how, meanwhile=lambda: generator.random() < 0.5 and node.wire.cut())
        node.wire.cut()
        self.note(f"{node.name} was restarted after {how.name}")
        self.count(self.faults, f"agents restarted after {how.name}")

    # --- before and after ---

    def commands_of_a_quiet_run(self, node):
        client = self.start_client(node)
        out, err = client.process.communicate(timeout=CLIENT_LIMIT_S)
        if client.process.returncode != 0:
            raise RuntimeError(f"even in peace: {out}{err}")
        wait_until(lambda: any(node.events("session.end")), SETTLE_S)
        return int(next(node.events("session.end"))["commands"])

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
        """A program that came to its end ran each command once, no more and no less: it ends with a
        clFinish(), so nothing of it is under way. No session ran more than that, however it ended."""
        killed = {client.program for client in self.clients if client.worker_killed_at is not None}
        for node in self.nodes:
            found = node.programs_found_again()
            for program, ends in node.sessions().items():
                name = f"{program} of {node.name}"
                if len(ends) != 1:
                    self.complain(f"{name} had {len(ends)} sessions")
                for end in filter(None, ends):
                    if int(end["commands"]) > quiet:
                        self.complain(f"{name}: {end['commands']} commands, not {quiet}")
                    if program in self.right:
                        self.check_account(name, end, quiet, program in killed)
                        self.outcomes["right, found again by another agent"] += program in found

    # Of a session that has ended while no agent was there nobody has heard the account; of one whose
    # worker was killed when its program was through, that of a second before.
    def check_account(self, name, end, quiet, worker_killed):
        if end["outcome"] == "unknown":
            self.outcomes["right, but ended without an agent: commands not known"] += 1
        elif worker_killed and end["outcome"] in ("crashed", "failed"):
            self.outcomes["right, and its worker killed after that: commands not known"] += 1
        elif int(end["commands"]) != quiet:
            self.complain(f"{name}: {end['commands']} commands instead of {quiet} ({end['outcome']})")
        else:
            self.outcomes[f"right, and ran {quiet} commands"] += 1

    def run(self):
        self.nodes = [Node(name, self.folder, self.build / "bin", self.environment,
                           GRACE_AFTER_CLOSE_MS)
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
        # A connection that was silenced stays so: the kernel that should notice sees the wire's, which
        # lives. Real ones end by TCP's own means within half a minute.
        for node in self.nodes:
            node.wire.cut()
        self.check_leftovers(before)
        for client in self.clients:
            outcome = self.outcome(client)
            self.outcomes[outcome] += 1
            if outcome == "right":
                self.right.add(client.program)
        self.check_commands(quiet)

    def close(self, keep):
        for node in getattr(self, "nodes", []):
            node.stop()
        if not self.wrong and not keep:
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
    parser.add_argument("--keep", action="store_true", help="the nodes' logs, also when all is well")
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    options = parser.parse_args()
    print(f"chaos: seed {options.seed}, {options.minutes} minutes", flush=True)
    chaos = Chaos(options.build.resolve(), options.seed, options.minutes * 60)
    try:
        chaos.run()
    finally:
        chaos.close(options.keep)
    for title, table in (("faults", chaos.faults), ("outcomes", chaos.outcomes)):
        print(f"{title}:")
        for name, number in sorted(table.items()):
            print(f"  {number:6} {name}")
    print(f"slowest error after a worker's death: {chaos.slowest_error_s:.1f} s")
    if chaos.outcomes["right"] == 0:
        chaos.wrong.append("no program came to its end")
    print(f"{len(chaos.wrong)} wrong" + (f", see {chaos.folder}" if chaos.wrong else ""))
    return 1 if chaos.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
