"""Sessions that outlive their agent: it is killed or restarted, the next one finds its workers, and
what was possible with a session before is possible again."""
import contextlib
import json
import os
import pathlib
import re
import select
import signal
import socket
import time
import unittest

from cgroups import SubTree
from programs import PATIENCE_S, program
from test_cuts import COUNTING, Cuts, LONG_KERNEL, LONG_KERNEL_S

LONG_AWAY_S = 3.0  # a restart that takes its time; much longer than nobody may be there otherwise


def alive(pid):
    """Also while its last threads go; not as a zombie, which whoever has inherited it may keep."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        return not select.select([process], [], [], 0)[0]
    finally:
        os.close(process)


class Restarts(Cuts):
    def start_own_node(self, mode, lanes=4, limits=""):
        place = super().start_own_node(mode, lanes, limits)
        # The next agent listens where this one did.
        text = self.config.read_text()
        self.config.write_text(text.replace("127.0.0.1:0", f"127.0.0.1:{self.wire.target[1]}"))
        self.workers = self.folder / "state" / "workers"
        return place

    def busy_client(self, place):
        client = self.client(place, LONG_KERNEL, str(LONG_KERNEL_S))
        self.worker = int(self.wait_for_log(r"session\.start .*\bpid=(\d+)")[1])
        return client

    def lines(self, pattern):
        return len(re.findall(pattern, self.log.read_text(errors="replace")))

    def end_node(self, how):
        """A killed agent says nothing; one that is told to end says so, and ends in order."""
        said = self.lines(r"\bstop signal=")
        self.node.send_signal(how)
        code = self.node.wait(PATIENCE_S)
        if how == signal.SIGKILL:
            self.assertEqual((code, self.lines(r"\bstop signal=")), (-how, said))
            return
        self.assertEqual((code, self.lines(r"\bstop signal=")), (0, said + 1))
        self.assertIn(f"stop signal={how.name} ", self.log.read_text(errors="replace"))

    def kill_node(self):
        self.end_node(signal.SIGKILL)

    def stop_node(self):
        self.end_node(signal.SIGTERM)

    def next_agent(self):
        listening = self.lines("endpoint=")
        self.node = self.launch_node()
        self.wait_until(lambda: self.lines("endpoint=") > listening, "no agent starts")

    def restart(self, how=signal.SIGKILL):
        self.end_node(how)
        self.next_agent()

    def expect_a_new_link(self, act):
        """Whatever it was before: after `act` the program's stream goes on over another one."""
        accepted = self.wire.accepted
        act()
        self.wait_until(lambda: self.wire.accepted > accepted, "the client does not come back")

    def expect_one_session(self, found):
        self.assertEqual(self.lines("session.start"), 1)
        self.assertEqual(self.lines("session.found"), found)
        end = self.wait_for_log(r"session\.end .*")[0]
        self.assertIn("outcome=closed", end)
        self.assertNotIn("commands=0 ", end)

    def expect_end(self, outcome):
        """What the log says of the only session."""
        self.wait_for_log(rf"session\.end .*outcome={outcome}\b")
        self.assertEqual(self.lines(r"session\.end "), 1)

    def expect_nothing_left(self):
        """The node is told to stop; then there is no worker, no record and no temporary file."""
        self.stop_node()
        self.assertEqual(list(self.workers.iterdir()), [])
        # A folder is removed by a process of its own.
        self.wait_until(lambda: not any((self.folder / "cache" / "workers").glob("*/*")),
                        "temporary files are left")


class AreFoundAgain(Restarts):
    def run_through(self, mode, lanes, hows):
        client = self.client(self.start_own_node(mode, lanes), COUNTING, "40")
        for how in hows:
            self.restart(how)
        self.expect_a_new_link(self.wire.cut)
        self.expect_right(client)
        self.expect_one_session(len(hows))
        self.expect_nothing_left()

    def test_over_tls(self):
        self.run_through("tls", 4, [signal.SIGKILL])

    def test_over_tcp_without_lanes(self):
        self.run_through("tcp", 0, [signal.SIGKILL])

    def test_after_two_restarts(self):
        self.run_through("tls", 4, [signal.SIGKILL, signal.SIGKILL])

    def test_after_an_orderly_restart(self):
        self.run_through("tls", 4, [signal.SIGUSR1, signal.SIGUSR1])

    def test_when_the_link_is_cut_while_no_agent_is_there(self):
        client = self.client(self.start_own_node("tls"), COUNTING, "40")
        self.kill_node()
        self.wire.cut()
        self.next_agent()
        self.expect_right(client)
        self.expect_one_session(1)

    def test_when_nobody_listens_for_long(self):
        client = self.client(self.start_own_node("tcp"), COUNTING, "60")
        self.kill_node()
        self.wire.vanish()
        time.sleep(1)  # the worker tells its client
        self.wire.cut()
        time.sleep(LONG_AWAY_S)
        self.next_agent()
        self.wire.reappear()
        self.expect_right(client)
        self.expect_one_session(1)


class AreAsBefore(Restarts):
    """What an operator can do with a session does not depend on which agent has begun it."""

    def expect_an_error(self, client):
        out, err = client.communicate(timeout=PATIENCE_S)
        self.assertEqual(client.returncode, 1, out)
        self.assertIn("wait: ", err)

    def test_a_revoked_client_loses_it(self):
        client = self.busy_client(self.start_own_node("tls"))
        self.restart()
        clients = ["--clients", "--state", self.folder / "state"]
        name = self.run_program(program("longwire"), "trust", "list", *clients).stdout.split()[0]
        self.run_program(program("longwire"), "trust", "revoke", name, *clients)
        self.expect_an_error(client)
        self.wait_for_log(r"session\.end.*outcome=ended reason=.*revoked")
        self.assertFalse(alive(self.worker))

    def test_one_revoked_meanwhile_is_ended_by_the_next(self):
        client = self.busy_client(self.start_own_node("tls"))
        self.kill_node()
        clients = ["--clients", "--state", self.folder / "state"]
        name = self.run_program(program("longwire"), "trust", "list", *clients).stdout.split()[0]
        self.run_program(program("longwire"), "trust", "revoke", name, *clients)
        self.next_agent()
        self.expect_an_error(client)
        self.wait_for_log(r"session\.end.*outcome=ended reason=.*revoked")

    def test_it_is_seen_and_written_down(self):
        self.busy_client(self.start_own_node("tls"))
        self.restart()
        top = self.run_program(program("longwire"), "top", "--state", self.folder / "state",
                               "--json")
        self.assertIn("long_kernel", top.stdout, top.stderr)
        os.kill(self.worker, signal.SIGKILL)
        self.wait_for_log(r"session\.end.*outcome=failed")
        audit = self.run_program(program("longwire"), "audit", "--json", "--state",
                                 self.folder / "state").stdout
        begin, end = [event for event in map(json.loads, audit.splitlines())
                      if event["event"] in ("session.begin", "session.end")]
        self.assertEqual([begin[key] for key in ("session", "tenant", "client", "key", "peer")],
                         [end[key] for key in ("session", "tenant", "client", "key", "peer")])

    def test_a_stop_ends_it(self):
        self.start_own_node("tcp", limits="drain_ms = 200")
        client = self.busy_client(self.direct)  # who hears that nobody listens any more
        self.restart()
        self.expect_nothing_left()
        self.expect_an_error(client)
        self.expect_end("unavailable")
        self.assertFalse(alive(self.worker))

    def test_what_a_stop_has_ended_is_told(self):
        client = self.client(self.start_own_node("tls", limits="drain_ms = 200"), COUNTING, "100000")
        self.stop_node()
        self.wait_for_log(r"session\.end.*outcome=unavailable reason=.*went down")
        client.kill()

    def test_a_link_that_breaks_during_a_stop_comes_back(self):
        client = self.client(self.start_own_node("tls"), COUNTING, "60")
        self.node.send_signal(signal.SIGTERM)
        self.wait_for_log("how=drain")
        self.expect_a_new_link(self.wire.cut)
        self.expect_right(client)
        self.assertEqual(self.node.wait(PATIENCE_S), 0)
        self.expect_one_session(0)

    def test_a_killed_client_leaves_nothing(self):
        client = self.busy_client(self.start_own_node("tcp"))
        self.restart()
        client.kill()
        self.wait_until(lambda: not alive(self.worker), "the worker is still there")
        self.expect_nothing_left()

    def test_a_killed_worker_is_an_error(self):
        client = self.busy_client(self.start_own_node("tcp"))
        self.restart()
        os.kill(self.worker, signal.SIGKILL)
        self.expect_an_error(client)
        self.expect_end("failed")

    def test_temporary_files_stay_until_it_ends(self):
        client = self.busy_client(self.start_own_node("tcp"))
        own = f"/proc/{self.worker}/cmdline"
        words = pathlib.Path(own).read_bytes().decode().split("\0")
        folder = pathlib.Path(words[words.index("--temporary") + 1])
        self.restart()
        self.assertTrue(folder.exists())
        client.kill()
        self.wait_until(lambda: not folder.exists(), "temporary files are left")

    def test_what_its_worker_prints_is_logged(self):
        client = self.busy_client(self.start_own_node("tcp"))
        self.restart()
        # A lane that no worker lets in: it says so on its standard error.
        session = self.a_lane_of_nonsense()
        self.wait_for_log(rf'worker\.output session={session} .*a link was refused')
        client.kill()

    def a_lane_of_nonsense(self):
        record = next(self.workers.glob("*.session")).read_bytes()
        number = record[56:72]  # after magic, version and process: worker_record.cc
        with socket.create_connection(self.wire.target) as lane:
            lane.sendall(b"LONGWIRE" + bytes([1, 0, 3, 0, 0, 0, 0, 0]) + number + b"x" * 64)
            with contextlib.suppress(ConnectionResetError):
                lane.recv(1)
        return number[:8].hex()


class KeepTheirCgroup(SubTree, Restarts):
    def launch_node(self):
        with self.inside(self.root / "agent"):
            return super().launch_node()

    def test_until_they_end(self):
        client = self.busy_client(self.start_own_node("tcp"))
        group = self.root / pathlib.Path(f"/proc/{self.worker}/cgroup").read_text().strip().rsplit(
            "/", 1)[1]
        self.assertIn(group, self.groups())
        self.restart()
        self.wait_for_log("session.found")
        self.assertIn(str(self.worker), (group / "cgroup.procs").read_text().split())
        client.kill()
        self.wait_until(lambda: not group.exists(), "its group is left")
        self.assertFalse(alive(self.worker))


class AreNotKeptForEver(Restarts):
    def test_without_agent_and_link_a_worker_ends_by_itself(self):
        client = self.busy_client(self.start_own_node("tcp", limits="grace_ms = 500"))
        self.kill_node()
        client.kill()
        self.wait_until(lambda: not alive(self.worker), "the worker is still there")
        self.next_agent()
        self.wait_for_log(r"session\.end.*outcome=unknown")
        self.expect_nothing_left()

    def test_whose_client_was_killed_meanwhile_ends_when_there_is_an_agent(self):
        client = self.busy_client(self.start_own_node("tcp", limits="grace_ms = 600000"))
        self.kill_node()
        client.kill()
        client.wait()
        self.next_agent()
        self.wait_until(lambda: not alive(self.worker), "the worker is still there")
        self.expect_nothing_left()

    def test_a_worker_that_died_meanwhile_is_written_down(self):
        client = self.busy_client(self.start_own_node("tcp"))
        self.kill_node()
        os.kill(self.worker, signal.SIGKILL)
        self.wait_until(lambda: not alive(self.worker), "the worker is still there")
        self.next_agent()
        self.wait_for_log(r"session\.end.*outcome=unknown")
        self.assertNotEqual(client.wait(PATIENCE_S), 0)
        self.expect_nothing_left()

    def test_a_record_that_cannot_be_is_refused(self):
        client = self.busy_client(self.start_own_node("tcp"))
        self.kill_node()
        record = next(self.workers.glob("*.session"))
        (self.workers / f"{'0' * 16}.session").write_bytes(record.read_bytes())  # twice the same
        (self.workers / f"{'1' * 16}.session").write_bytes(b"LWWORKER" * 9)
        for path in self.workers.glob("*.session"):
            path.chmod(0o600)
        self.next_agent()
        self.assertEqual(self.lines("worker.record_refused"), 2)
        client.kill()
        self.wait_until(lambda: not alive(self.worker), "the worker is still there")
        self.expect_nothing_left()


class OneAgent(Restarts):
    def test_a_second_one_on_the_same_state_is_refused(self):
        self.start_own_node("tcp")
        second = self.run_program(program("longwired"), "--no-tls", "--unix", self.folder / "s",
                                  "--state", self.folder / "state")
        self.assertEqual(second.returncode, 1)
        self.assertIn("another node uses", second.stderr)


if __name__ == "__main__":
    unittest.main()
