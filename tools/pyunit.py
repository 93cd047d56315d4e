#!/usr/bin/python3
"""Runs the unittest cases under a folder, as `python3 -m unittest discover -s FOLDER` does, and
leaves a report with one <testcase> each where $LONGWIRE_RESULT_XML says, for tools/count_tests.py.
"""
import os
import sys
import unittest
import xml.etree.ElementTree as ElementTree


class Recorder(unittest.TextTestResult):
    """Remembers the worst outcome of every case (a case may have several failing sub-tests)."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.outcomes = {}

    def startTest(self, test):
        super().startTest(test)
        self.outcomes.setdefault(test.id(), "passed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.outcomes[test.id()] = "skipped"

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.outcomes[test.id()] = "failure"

    def addError(self, test, err):  # also called for a module that cannot be imported
        super().addError(test, err)
        self.outcomes[test.id()] = "failure"

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.outcomes[test.id()] = "failure"

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.outcomes[test.id()] = "failure"


def write_report(path, outcomes):
    suite = ElementTree.Element("testsuite")
    for name, what in outcomes.items():
        case = ElementTree.SubElement(suite, "testcase", name=name)
        if what != "passed":
            ElementTree.SubElement(case, what)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    ElementTree.ElementTree(suite).write(path)


def main(folder):
    suite = unittest.defaultTestLoader.discover(folder, pattern="*test*.py")
    result = unittest.TextTestRunner(resultclass=Recorder, verbosity=1).run(suite)
    if os.environ.get("LONGWIRE_RESULT_XML"):
        write_report(os.environ["LONGWIRE_RESULT_XML"], result.outcomes)
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
