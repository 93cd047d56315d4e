#!/usr/bin/python3
"""Counts the single test cases of one ctest run and prints "N passed, N failed[, N skipped]".

ctest runs one entry per executable. Where an entry left an XML report (gtest, tools/pyunit.py) its
cases are counted, else the entry counts as one case. An entry that failed although its report shows
no failed case (a crash on the way out, a time-out) counts as one failure more.
"""
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def outcome(case):
    """passed, failed or skipped, of a <testcase> of ctest, gtest or pyunit."""
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    if case.find("skipped") is not None:
        return "skipped"
    status, result = case.get("status", ""), case.get("result", "")
    if status == "fail":
        return "failed"
    if status in ("notrun", "disabled") or result in ("skipped", "suppressed"):
        return "skipped"
    return "passed"


def cases_of(report):
    """Outcomes of the cases in a report file, or None when it is missing or cut short."""
    try:
        return [outcome(case) for case in ElementTree.parse(report).iter("testcase")]
    except (OSError, ElementTree.ParseError):
        return None


def count(results):
    """(counts, names of failed entries) of the folder that ./dev test filled."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failed_entries = []
    for entry in ElementTree.parse(results / "ctest.junit").iter("testcase"):
        whole = outcome(entry)
        cases = cases_of(results / f"{entry.get('name')}.xml")
        if not cases:
            cases = [whole]
        elif whole == "failed" and "failed" not in cases:
            cases.append("failed")
        for case in cases:
            counts[case] += 1
        if "failed" in cases:
            failed_entries.append(entry.get("name"))
    return counts, failed_entries


def main(argv):
    try:
        counts, failed_entries = count(pathlib.Path(argv[1]))
    except (OSError, ElementTree.ParseError) as problem:
        print(f"no test results: {problem}")
        counts, failed_entries = {"passed": 0, "failed": 1, "skipped": 0}, []
    if failed_entries:
        print("failed: " + ", ".join(failed_entries))
    line = f"{counts['passed']} passed, {counts['failed']} failed"
    if counts["skipped"]:
        line += f", {counts['skipped']} skipped"
    print(line)
    return 0 if counts["failed"] == 0 and counts["passed"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
