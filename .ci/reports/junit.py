"""Reads the JUnit files of runs with a reader that is not ours, and says what it found."""

import sys

from junitparser import Error, Failure, JUnitXml, Skipped

for path in sys.argv[1:]:
    report = JUnitXml.fromfile(path)
    cases = [case for suite in report for case in suite]
    found = {"failed": Failure, "in error": Error, "skipped": Skipped}
    counts = {word: sum(any(isinstance(r, kind) for r in case.result) for case in cases) for word, kind in found.items()}
    said = {"failed": report.failures, "in error": report.errors}
    assert len(cases) == report.tests, path
    assert all(counts[word] == number for word, number in said.items()), (path, counts, said)
    red = counts["failed"] + counts["in error"]
    assert (red == 0) == path.startswith("passing"), (path, counts)
    print(f"{path}: {len(cases)} cases, {', '.join(f'{n} {word}' for word, n in counts.items())}, {report.time:.0f} s")
    for case in cases:
        for result in case.result:
            if isinstance(result, (Failure, Error)):
                assert result.type and result.message and result.text, case.name
                print(f"  {case.name}: {result.type}: {result.message}")
