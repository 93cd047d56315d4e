"""What a taken-over worker would try first, from inside the walls: longwire-worker --probe."""
import unittest

from programs import ProgramTest, program

REFUSED, ALLOWED, SKIPPED = 0, 3, 77


class Sandbox(ProgramTest):
    def probe(self, what, sandbox="enforce"):
        return self.run_program(program("longwire-worker"), "--cache", self.folder, "--sandbox",
                                sandbox, "--probe", what).returncode

    def test_a_worker_can_still_do_its_work(self):
        self.assertEqual(self.probe("lives"), REFUSED)  # that is: nothing it needs was refused

    def test_no_network(self):
        for what in ("tcp", "tcp6", "udp", "unix", "netlink"):
            self.assertEqual(self.probe(what), REFUSED, what)

    def test_no_reach_into_other_processes_or_the_kernel(self):
        for what in ("ptrace", "kill", "namespace", "mount", "io_uring", "bpf", "setuid"):
            self.assertEqual(self.probe(what), REFUSED, what)

    def test_no_files_but_its_own(self):
        secret = self.folder / "secret"
        secret.write_text("x")
        for what in (f"read:{secret}", f"write:{secret}", "read:/etc/shadow", "read:/proc/1/maps"):
            code = self.probe(what)
            if code == SKIPPED:
                self.skipTest("this kernel has no Landlock")
            self.assertEqual(code, REFUSED, what)
        self.assertEqual(self.probe("read:/etc/ld.so.cache"), ALLOWED)

    def test_the_probes_tell_the_truth(self):
        self.assertEqual(self.probe("tcp", sandbox="off"), ALLOWED)
        self.assertEqual(self.probe("tcp", sandbox="log"), ALLOWED)
        self.assertEqual(self.probe("no such probe"), 2)


if __name__ == "__main__":
    unittest.main()
