"""longwired: configuration errors, readiness, a clean stop, structured logs."""
import json
import os
import signal
import socket
import unittest

from programs import PATIENCE_S, ProgramTest, program


class Serve(ProgramTest):
    def test_a_wrong_configuration_names_its_line(self):
        config = self.folder / "longwired.toml"
        config.write_text("[listen]\nport = 3\n")
        done = self.run_program(program("longwired"), "--config", config)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"{config}:2:1: unknown key 'port'", done.stderr)

    def test_a_missing_configuration_is_an_error(self):
        done = self.run_program(program("longwired"), "--config", self.folder / "nothing")
        self.assertEqual(done.returncode, 1)

    def test_a_taken_port_is_an_error(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            place = "127.0.0.1:%d" % taken.getsockname()[1]
            done = self.run_program(program("longwired"), "--listen", place, "--no-unix",
                                    "--state", self.folder / "state")
        self.assertEqual(done.returncode, 1)
        self.assertIn(place, done.stderr)

    def test_it_tells_the_service_manager_and_stops_cleanly(self):
        path = str(self.folder / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(path)
            notify.settimeout(PATIENCE_S)
            self.environment["NOTIFY_SOCKET"] = path
            node, _ = self.start_node()
            self.assertEqual(notify.recv(100), b"READY=1")
            node.send_signal(signal.SIGTERM)
            self.assertEqual(notify.recv(100), b"STOPPING=1")
        self.assertEqual(node.wait(PATIENCE_S), 0)
        self.wait_for_log(r"stopped")

    def test_json_logs_are_one_object_a_line(self):
        self.log = self.folder / "json.log"
        with open(self.log, "w", encoding="utf-8") as log:
            node = self.start(program("longwired"), "--no-tls", "--unix", self.folder / "s",
                              "--state", self.folder / "state", "--log-format", "json")
            # What the cage lacks on this machine may be said before.
            for line in node.stderr:
                log.write(line)
                entry = json.loads(line)
                self.assertIn(entry["event"], ("sandbox.partial", "listen"))
                if entry["event"] == "listen":
                    break
        self.assertEqual((entry["event"], entry["level"]), ("listen", "info"))

    def test_garbage_leaves_it_alive(self):
        node, port = self.start_node()
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(os.urandom(200))
        self.wait_for_log(r"connection\.failed .*magic")
        self.assertIsNone(node.poll())

    def test_keys_are_made_once_and_private(self):
        self.start_node()
        key = self.folder / "state" / "identity.pem"
        self.assertEqual(key.stat().st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
