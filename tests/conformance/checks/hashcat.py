"""hashcat: self-test, cracks of known hashes, and a benchmark of a few modes."""

import hashlib
import os
import pathlib
import tempfile

from . import report, sides

# A kernel is compiled from source on each side, which takes PoCL most of a minute.
TIME_LIMIT_S = 600
# -D 1: CPUs too; --force: run although hashcat distrusts this driver's age.
COMMON = ["-D", "1", "--force", "--potfile-disable", "--restore-disable", "--logfile-disable"]
WORDS = ["telephone", "longwire", "antenna", "copper", "resonance", "hello", "password"]


def _digest(name, word):
    return hashlib.new(name, word.encode()).hexdigest()


# name -> (mode, hashes, the rest of the attack)
CRACKS = {
    "md5, mask": (0, [_digest("md5", "wire")], ["-a", "3", "?l?l?l?l"]),
    "md5, mask, optimized kernel": (0, [_digest("md5", "wire")], ["-O", "-a", "3", "?l?l?l?l"]),
    "sha1, words": (100, [_digest("sha1", "copper"), _digest("sha1", "antenna")],
                    ["-a", "0", "WORDS"]),
    "sha256, words": (1400, [_digest("sha256", "resonance")], ["-a", "0", "WORDS"]),
    # 2048 rounds of MD5: the slow-hash path, one kernel per stage with data kept on the device.
    "phpass, words": (400, ["$H$984478476IagS59wHZvyQMArzfx58u."], ["-a", "0", "HASHCAT"]),
}
BENCHMARKS = (0, 100, 1000)


def run(options):
    program = sides.require_program("hashcat", "LONGWIRE_HASHCAT", "Debian package hashcat")
    native, remote = sides.sides(options.mode)
    result = report.Report("hashcat", options.mode, options.out)
    limit = max(options.time_limit, TIME_LIMIT_S)
    for name, attack in CRACKS.items():
        here, here_found = crack(native, program, attack, limit)
        there, there_found = crack(remote, program, attack, limit)
        same = (here.status, here_found) == (there.status, there_found) and here.status == "ok"
        result.add(f"crack {name}", _summary(here, here_found), _summary(there, there_found),
                   same, native_seconds=here.seconds, remote_seconds=there.seconds,
                   detail=f"{here_found}\n{there_found}\n" + _tail(there))
    for mode in BENCHMARKS:
        here, here_speed = benchmark(native, program, mode, limit)
        there, there_speed = benchmark(remote, program, mode, limit)
        same = here.status == there.status == "ok" and here_speed > 0 and there_speed > 0
        result.add(f"benchmark {mode}", f"{here_speed / 1e6:.1f} MH/s",
                   f"{there_speed / 1e6:.1f} MH/s", same, native_seconds=here.seconds,
                   remote_seconds=there.seconds, detail=_tail(there))
    return result.finish()


def crack(side, program, attack, limit):
    """Runs one attack with hashcat's self-test on; returns the outcome and what was found."""
    mode, hashes, rest = attack
    with tempfile.TemporaryDirectory(prefix="longwire-hashcat-") as folder:
        home = pathlib.Path(folder)
        (home / "hashes").write_text("\n".join(hashes) + "\n")
        (home / "words").write_text("\n".join(WORDS) + "\n")
        (home / "hashcat").write_text("nothing\nhashcat\n")
        names = {"WORDS": str(home / "words"), "HASHCAT": str(home / "hashcat")}
        argv = [program, *COMMON, "-m", mode, "-o", home / "found", home / "hashes",
                *[names.get(part, part) for part in rest]]
        outcome = side.run(argv, time_limit_s=limit, env=_environment(home), cwd=home)
        found = home / "found"
        lines = sorted(found.read_text().split()) if found.exists() else []
    if "Self-test failed" in outcome.text or "self-test failed" in outcome.error_text:
        lines.append("self-test failed")
    return outcome, lines


def benchmark(side, program, mode, limit):
    """Runs hashcat's own benchmark of one mode; returns the outcome and hashes per second."""
    with tempfile.TemporaryDirectory(prefix="longwire-hashcat-") as folder:
        home = pathlib.Path(folder)
        argv = [program, "-D", "1", "--force", "-b", "-m", mode, "--machine-readable", "--quiet"]
        outcome = side.run(argv, time_limit_s=limit, env=_environment(home), cwd=home)
    # device:mode:name-or-clocks:…:hashes-per-second
    for line in outcome.text.splitlines():
        fields = line.split(":")
        if len(fields) >= 6 and fields[1] == str(mode):
            return outcome, float(fields[-1])
    return outcome, 0.0


def _environment(home):
    # hashcat keeps compiled kernels below HOME; a fresh one makes both sides compile. The node
    # and the keys of `longwire run` must stay where they are, so only hashcat's places move.
    return {"XDG_CACHE_HOME": str(home / "cache"), "XDG_DATA_HOME": str(home / "data"),
            "HOME": os.environ.get("HOME", str(home))}


def _summary(outcome, found):
    return f"{outcome.status}, {len(found)}"


def _tail(outcome):
    return "\n".join((outcome.text + outcome.error_text).splitlines()[-25:])
