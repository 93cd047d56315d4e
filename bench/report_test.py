"""Tests of bench/report: what becomes of figures once they are taken."""
import json
import pathlib
import types
import unittest
from xml.etree import ElementTree

from report import limits, links, measure, plot, programs, rows, table


def results_with(*entries, raw=None):
    """Results of (group, name, link, unit, median)."""
    results = rows.Results()
    for group, name, link, unit, median in entries:
        results.add(rows.Row(group, name, link, unit, median, median * 2, 5))
    results.raw = raw or {}
    return results


def ping_pong(**links_us):
    return {link: {"ping_pong": {"median": us, "p99": us}} for link, us in links_us.items()}


def target(results, name, link):
    row = next(row for row in results.rows if (row.name, row.link) == (name, link))
    return limits.target(results, row)


class RowsTest(unittest.TestCase):
    def test_sizes(self):
        self.assertEqual(rows.size_bytes("4 KiB"), 4096)
        self.assertEqual(rows.size_bytes("256 MiB"), 256 << 20)

    def test_in_flight_as_in_sizes_h(self):
        self.assertEqual([rows.in_flight(rows.size_bytes(size)) for size in
                          ("4 KiB", "1 MiB", "16 MiB", "64 MiB", "256 MiB")], [16, 16, 4, 2, 2])

    def test_raw_rate_counts_all_that_is_in_flight(self):
        results = results_with(raw={"tcp": {"ping_pong": {"median": 10},
                                            "write": {"1 MiB": {"median": 1000}},
                                            "write, pipelined": {"1 MiB": {"median": 4000}}}})
        self.assertAlmostEqual(results.raw_rate("write, 1 MiB", "tcp"), 1048.576)
        self.assertAlmostEqual(results.raw_rate("write, pipelined, 1 MiB", "tcp"), 4194.304)
        self.assertIsNone(results.raw_rate("write, 16 MiB", "tcp"))
        self.assertIsNone(results.raw_rate("write, 1 MiB", "unix"))

    def test_rounds_count_by_their_median(self):
        results = results_with(*[("latency", limits.READ, "tcp", "us", us) for us in (40, 90, 42)])
        self.assertEqual([(row.median, row.p99, row.runs) for row in results.rows], [(42, 84, 15)])
        for us in (12, 30, 13):
            results.add_raw("tcp", {"ping_pong": {"median": us, "p99": us}})
        results.add_raw("tcp", {"ping_pong": {"median": 13}, "write": {"4 KiB": {"median": 9}}})
        self.assertEqual(results.ping_pong_us("tcp"), 13)
        self.assertIn("4 KiB", results.raw["tcp"]["write"])

    def test_json_and_back(self):
        results = results_with(("latency", limits.READ, "tcp", "us", 40.0),
                               raw=ping_pong(tcp=12.0))
        results.skipped.append("clpeak: not installed")
        again = rows.results_from_json(json.loads(json.dumps(results.to_json())))
        self.assertEqual(again.rows, results.rows)
        self.assertEqual(again.median(limits.READ, "tcp"), 40.0)
        self.assertEqual(again.ping_pong_us("tcp"), 12.0)
        self.assertEqual(again.skipped, results.skipped)


class PeerTest(unittest.TestCase):
    def test_a_peer_is_a_link_with_an_environment_of_its_own(self):
        link = links.peer_link("# theirs\nOCL_ICD_VENDORS=/x\nTHEIR_SERVER=host:1=2\n\n", 7)
        self.assertEqual((link.name, link.server), ("peer", 7))
        self.assertEqual(link.environment, {"LONGWIRE_DISABLE": "1", "OCL_ICD_VENDORS": "/x",
                                            "THEIR_SERVER": "host:1=2"})

    def test_a_peer_is_shown_beside_us_and_has_no_targets(self):
        results = results_with(("latency", limits.READ, "native", "us", 15.0),
                               ("latency", limits.READ, "tcp", "us", 40.0),
                               ("latency", limits.READ, "peer", "us", 120.0),
                               raw=ping_pong(tcp=12.0, peer=12.0))
        self.assertIsNone(target(results, limits.READ, "peer"))
        text = "\n".join(table.lines(results))
        self.assertRegex(text, "peer +120 us")
        self.assertNotIn("over distance", text)


class RawSocketTest(unittest.TestCase):
    def test_transfers_are_measured_once_for_each_address(self):
        results, asked = rows.Results(), []
        bench = measure.Bench(types.SimpleNamespace(binaries=pathlib.Path("bin")), results,
                              cache=None)

        def answer(command, link):
            asked.append((link.name, "--transfers" in command))
            figures = {"ping_pong": {"median": 12}}
            return {**figures, "write": {"4 KiB": {"median": 9}}} if asked[-1][1] else figures

        bench.json_of = answer
        for name, address in (("tcp", "host:1"), ("tls", "host:1"), ("1 ms", "host:2")):
            bench.raw_socket(links.Link(name, {}, raw=address), True, 16, False)
        self.assertEqual(asked, [("tcp", True), ("tls", False), ("1 ms", True)])
        self.assertEqual(results.raw_rate("write, 4 KiB", "tls"),
                         results.raw_rate("write, 4 KiB", "tcp"))
        self.assertIsNotNone(results.raw_rate("write, 4 KiB", "tls"))


class LimitsTest(unittest.TestCase):
    def test_a_wait_is_held_against_ping_pong_and_native(self):
        results = results_with(("latency", limits.READ, "native", "us", 15.0),
                               ("latency", limits.READ, "tcp", "us", 40.0),
                               raw=ping_pong(tcp=12.0))
        self.assertEqual(limits.limit(results, results.rows[1]), 27.0)
        self.assertAlmostEqual(limits.of_limit(results, results.rows[1]), 0.675)
        self.assertEqual(target(results, limits.READ, "tcp"), ("<= 1.5 x limit", True))

    def test_a_wait_at_the_end_counts_by_its_share(self):
        results = results_with(("throughput", limits.MANY, "native", "commands/s", 400_000.0),
                               ("throughput", limits.MANY, "70 ms", "commands/s", 100_000.0),
                               ("latency", limits.CREATE_MANY, "native", "us", 15.0),
                               ("latency", limits.CREATE_MANY, "70 ms", "us", 500.0),
                               raw=ping_pong(**{"70 ms": 70_000.0}))
        self.assertAlmostEqual(limits.limit(results, results.rows[1]), 20_000 / 0.12)
        self.assertAlmostEqual(limits.limit(results, results.rows[3]), 15 + 350)

    def test_a_trip_too_short_to_tell_is_not_judged(self):
        results = results_with(("latency", limits.CREATE, "proxy", "us", 20.0),
                               raw=ping_pong(proxy=30.0))
        self.assertIsNone(target(results, limits.CREATE, "proxy"))

    def test_native_rows_have_no_limit_and_no_target(self):
        results = results_with(("latency", limits.READ, "native", "us", 15.0))
        self.assertIsNone(limits.of_limit(results, results.rows[0]))
        self.assertIsNone(limits.target(results, results.rows[0]))

    def test_missing_neighbours_mean_no_verdict(self):
        results = results_with(("latency", limits.READ, "tcp", "us", 40.0))
        self.assertIsNone(limits.limit(results, results.rows[0]))
        self.assertIsNone(target(results, limits.READ, "tcp"))

    def test_the_p99_is_held_against_the_median(self):
        results = results_with(("latency", limits.READ, "tcp", "us", 40.0),
                               ("latency", limits.READ_P99, "tcp", "us", 161.0))
        self.assertEqual(target(results, limits.READ_P99, "tcp"), ("<= 4 x median", False))

    def test_transfers_are_held_against_the_raw_socket(self):
        raw = {"unix": {"ping_pong": {"median": 9}, "read": {"64 KiB": {"median": 65.536},
                                                             "16 MiB": {"median": 16777.216}}}}
        results = results_with(("transfers", "read, 64 KiB", "unix", "MB/s", 870.0),
                               ("transfers", "read, 16 MiB", "unix", "MB/s", 870.0), raw=raw)
        self.assertEqual(target(results, "read, 64 KiB", "unix"), (">= 0.85 x raw", True))
        self.assertEqual(target(results, "read, 16 MiB", "unix"), (">= 0.90 x raw", False))

    def test_throughput(self):
        results = results_with(("throughput", limits.MANY, "proxy", "commands/s", 300_000),
                               ("throughput", limits.MANY, "1 ms", "commands/s", 260_000),
                               ("throughput", limits.MANY, "tcp", "commands/s", 300_000),
                               ("throughput", limits.ENQUEUE_CPU, "tcp", "us", 0.6))
        self.assertEqual(target(results, limits.MANY, "1 ms"), (">= 0.9 x proxy", False))
        self.assertEqual(target(results, limits.MANY, "tcp"), (">= 200,000/s", True))
        self.assertEqual(target(results, limits.ENQUEUE_CPU, "tcp"), ("<= 0.5 us", False))

    def test_no_round_trip_over_distance(self):
        chain = "chain of 1,000, per link: two queues"
        results = results_with(("latency", limits.CREATE, "1 ms", "us", 3.0),
                               ("chains", chain, "1 ms", "us", 900.0),
                               ("latency", limits.WRITE_KERNEL_READ, "1 ms", "us", 1090.0),
                               raw=ping_pong(**{"1 ms": 1000.0}))
        self.assertEqual(target(results, limits.CREATE, "1 ms"), ("no round trip", True))
        self.assertEqual(target(results, chain, "1 ms"), ("no round trip", False))
        self.assertEqual(target(results, limits.WRITE_KERNEL_READ, "1 ms"),
                         ("<= 1.1 round trips", True))

    def test_builds_and_set_up(self):
        results = results_with(("build", limits.COLD, "native", "us", 250_000.0),
                               ("build", limits.COLD, "20 ms", "us", 271_000.0),
                               ("build", limits.WARM, "20 ms", "us", 24_000.0),
                               ("session", limits.SET_UP, "tls, 20 ms", "us", 89_000.0),
                               raw=ping_pong(**{"20 ms": 20_000.0, "tls, 20 ms": 20_000.0}))
        self.assertEqual(target(results, limits.COLD, "20 ms"), ("<= native + 1 trip", False))
        self.assertEqual(target(results, limits.WARM, "20 ms"), ("<= 5 ms + 1 trip", True))
        self.assertEqual(target(results, limits.SET_UP, "tls, 20 ms"),
                         ("<= 50 ms + 2 trips", True))

    def test_programs_that_compute(self):
        results = results_with(("programs", "hashcat -b, MD5", "native", "MH/s", 100.0),
                               ("programs", "hashcat -b, MD5", "tcp", "MH/s", 98.0),
                               ("programs", "microscopy, restoring", "native", "us", 97.0),
                               ("programs", "microscopy, restoring", "tcp", "us", 101.0),
                               ("programs", limits.CLINFO, "tcp", "us", 101.0))
        self.assertEqual(target(results, "hashcat -b, MD5", "tcp"), (">= 0.97 x native", True))
        self.assertEqual(target(results, "microscopy, restoring", "tcp"),
                         ("<= native / 0.97", False))
        self.assertIsNone(target(results, limits.CLINFO, "tcp"))

    def test_the_peer_is_to_be_beaten_where_nothing_else_is_asked(self):
        results = results_with(("latency", limits.EMPTY, "native", "us", 18.0),
                               ("latency", limits.EMPTY, "tcp", "us", 50.0),
                               raw=ping_pong(tcp=12.0))
        self.assertEqual(target(results, limits.EMPTY, "tcp"), ("the peer", True))


class ProgramsTest(unittest.TestCase):
    def test_round_trips_from_a_known_delay(self):
        results = results_with(("programs", limits.CLINFO, "proxy", "us", 30_000.0),
                               ("programs", limits.CLINFO, "20 ms", "us", 90_000.0))
        programs.clinfo_round_trips(results, "proxy", "20 ms", 20)
        self.assertEqual(results.median(limits.CLINFO_TRIPS, "20 ms"), 3.0)
        self.assertTrue(target(results, limits.CLINFO_TRIPS, "20 ms")[1])

    def test_hashcat_speed(self):
        self.assertEqual(programs.hashcat_speed("# note\n1:0:2000:1:3.5:123456789\n"), 123456789)
        with self.assertRaises(ValueError):
            programs.hashcat_speed("no device")

    def test_clpeak_line(self):
        out = "    Single-precision compute (GFLOPS)\n      float   : 2.76\n      float16 : 53.45\n"
        self.assertEqual(float(programs.CLPEAK_FLOAT.search(out)[1]), 53.45)


class LinksTest(unittest.TestCase):
    def test_addresses(self):
        self.assertEqual(links.split_node("tcp:127.0.0.1:99"), ("tcp:", "127.0.0.1:99"))
        self.assertEqual(links.split_node("127.0.0.1:99"), ("", "127.0.0.1:99"))

    def test_only_what_the_driver_reads_is_kept(self):
        self.assertEqual(links.kept_environment({"LONGWIRE_NODES": "a", "OCL_ICD_VENDORS": "b",
                                                 "HOME": "c"}),
                         {"LONGWIRE_NODES": "a", "OCL_ICD_VENDORS": "b"})


class ShowingTest(unittest.TestCase):
    def setUp(self):
        self.results = results_with(
            ("latency", limits.READ, "native", "us", 15.0),
            ("latency", limits.READ, "tcp", "us", 40.0),
            ("latency", limits.READ, "20 ms", "us", 20_100.0),
            ("throughput", limits.MANY, "native", "commands/s", 450_000.0),
            ("throughput", limits.MANY, "tcp", "commands/s", 300_000.0),
            raw=ping_pong(**{"tcp": 12.0, "20 ms": 20_010.0}))

    def test_amounts(self):
        self.assertEqual(table.amount(1.5, "us"), "1.5 us")
        self.assertEqual(table.amount(20_100.0, "us"), "20.1 ms")
        self.assertEqual(table.amount(2.5e6, "us"), "2.5 s")
        self.assertEqual(table.amount(450_000, "commands/s"), "450,000/s")
        self.assertEqual(table.amount(None, "us"), "")
        self.assertEqual(table.percent(0.004), "0.4%")

    def test_table(self):
        lines = list(table.lines(self.results))
        self.assertTrue(any("40 us" in line and "68%" in line and "yes <= 1.5 x limit" in line
                            for line in lines), lines)
        self.assertIn("--- over distance: latency", "\n".join(lines))
        self.assertEqual(lines[-1], "2 of 2 targets reached")

    def test_links_of_a_figure_stay_together_whenever_they_were_measured(self):
        self.results.add(rows.Row("latency", limits.READ, "tls", "us", 50.0))
        section, first = next(iter(table.in_order(self.results)))
        self.assertEqual((section, [row.link for row in first]),
                         ("latency", ["native", "tcp", "tls"]))

    def test_plot_is_well_formed_and_has_a_dot_per_row(self):
        picture = ElementTree.fromstring(plot.svg(self.results))
        titles = [title.text for title in picture.iter("{http://www.w3.org/2000/svg}title")]
        self.assertIn("tcp: 40 us, 68% of limit", titles)
        self.assertIn("20 ms: 20.1 ms, 100% of limit", titles)

    def test_the_axis_ends_where_the_picture_does(self):
        self.assertEqual(plot.x_of(0.0001), plot.LEFT)
        self.assertEqual(plot.x_of(99), plot.WIDTH - plot.RIGHT)


if __name__ == "__main__":
    unittest.main()
