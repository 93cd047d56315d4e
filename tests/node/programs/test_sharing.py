"""Several clients and several nodes at once: right results, and nobody waits for anybody else.

Nothing here compares times: whoever is not delayed ends while the other's kernel still runs.
"""
import pathlib
import re
import subprocess
import time
import unittest

from programs import BUILD, PATIENCE_S, ProgramTest, program, require_driver

PROGRAMS = BUILD / "tests" / "conformance_programs"
THREADS = PROGRAMS / "threads"
EVERY_DEVICE = PROGRAMS / "every_device"
LONG_KERNEL = BUILD / "tests" / "long_kernel"
# Far longer than what runs beside it needs, also on a busy machine; it is killed, not waited for.
LONG_KERNEL_S = 90


class Sharing(ProgramTest):
    def setUp(self):
        super().setUp()
        require_driver()
        for path in (THREADS, EVERY_DEVICE, LONG_KERNEL):
            if not path.exists():
                self.skipTest(f"{path} is not built")

    def start_nodes(self, count):
        """So many nodes, each behind a unix socket of its own; what LONGWIRE_NODES calls them."""
        nodes = []
        for number in range(count):
            folder = self.folder / f"node{number}"
            folder.mkdir()
            self.log = folder / "log"
            with open(self.log, "w", encoding="utf-8") as log:
                node = subprocess.Popen(
                    [program("longwired"), "--no-tls", "--unix", folder / "socket", "--state",
                     folder / "state", "--name", f"node{number}"],
                    stdout=log, stderr=log, env=self.environment)
            self.addCleanup(self.end, node)
            self.wait_for_log(r"endpoint=unix:")
            nodes.append(f"unix:{folder}/socket")
        return nodes

    def client(self, nodes, *argv):
        """The program as it is, in an environment where Longwire is the only OpenCL driver."""
        driver = (BUILD / "lib" / "liblongwire_opencl.so").resolve()
        environment = dict(self.environment, OCL_ICD_VENDORS=str(driver),
                           LONGWIRE_NODES=",".join(nodes))
        return self.start(*argv, env=environment)

    def output(self, client):
        out, err = client.communicate(timeout=PATIENCE_S * 3)
        self.assertEqual((client.returncode, err), (0, ""))
        return out

    def natively(self, path):
        return self.run_program(path).stdout

    def test_two_clients_of_one_node_see_what_they_see_natively(self):
        nodes = self.start_nodes(1)
        native = self.natively(THREADS)
        clients = [self.client(nodes, THREADS) for _ in range(2)]
        for client in clients:
            self.assertEqual(self.output(client), native)

    def test_two_nodes_are_two_devices_of_one_platform(self):
        native = self.natively(EVERY_DEVICE).splitlines()
        devices = [line for line in native if line.startswith("device ")]
        rest = [line for line in native if not line.startswith("device ")]
        nodes = self.start_nodes(2)
        clients = [self.client(nodes, EVERY_DEVICE) for _ in range(2)]
        for client in clients:
            self.assertEqual(self.output(client).splitlines(), devices * 2 + rest)

    def test_a_long_kernel_and_a_killed_client_delay_nobody(self):
        nodes = self.start_nodes(1)
        native = self.natively(THREADS)
        busy = self.client(nodes, LONG_KERNEL, str(LONG_KERNEL_S))
        self.assertEqual(busy.stdout.readline(), "running\n")
        for client in [self.client(nodes, THREADS) for _ in range(2)]:
            self.assertEqual(self.output(client), native)
        self.assertIsNone(busy.poll(), "the long kernel still runs")
        beside = self.client(nodes, THREADS)
        busy.kill()
        self.assertEqual(self.output(beside), native)
        self.assertEqual(self.output(self.client(nodes, THREADS)), native)
        self.wait_for_workers_end()

    def wait_for_workers_end(self):
        """Also that of the killed client, whose kernel nobody can stop but with its process."""
        left = {int(pid) for pid in re.findall(r"session\.start .*\bpid=(\d+)", self.log.read_text())}
        self.assertEqual(len(left), 5)
        deadline = time.monotonic() + PATIENCE_S
        while left and time.monotonic() < deadline:
            left = {pid for pid in left if pathlib.Path(f"/proc/{pid}").exists()}
            time.sleep(0.05)
        self.assertEqual(left, set())


if __name__ == "__main__":
    unittest.main()
