"""`python -m helpers.grading assignments | grade SUBMISSIONS | export SUBMISSIONS`."""

import argparse
import os
import sys
from pathlib import Path

from helpers.grading.course import default_root


def main(arguments=None):
    """Run one command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m helpers.grading")
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("assignments", help="write and check the student versions")
    make.add_argument("--seed", default=os.environ.get("COURSE_SEED") or None)
    make.add_argument("--no-check", action="store_true", help="do not run them")
    for name, text in (
        ("grade", "grade a folder or an archive"),
        ("export", "write feedback and tables again"),
    ):
        commands.add_parser(name, help=text).add_argument("submissions")
    for command in commands.choices.values():
        command.add_argument(
            "--course", type=Path, default=default_root(), help="folder of the course"
        )
    given = parser.parse_args(arguments)
    try:
        return {"assignments": _assignments, "grade": _grade, "export": _export}[given.command](
            given
        )
    except (OSError, ValueError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the tables are as they were", file=sys.stderr)
        return 130


def _assignments(given):
    from helpers.grading.release import release

    for name, path in release(given.course, seed=given.seed, check=not given.no_check).items():
        print(f"{name}: {os.path.relpath(path)}")
    return 0


def _grade(given):
    from helpers.grading.grade import grade

    rows = grade(given.course, given.submissions)
    return _told(given, rows)


def _export(given):
    """Take up what was graded by hand; no student's code runs."""
    from helpers.grading.cells import Refused
    from helpers.grading.course import api
    from helpers.grading.grade import (
        checked,
        no_page,
        quiet,
        released,
        student_versions,
        submitted,
        tabulate,
        take_remarks,
        with_kept,
        write_feedback,
        write_tables,
    )

    names = released(given.course)
    found = submitted(given.submissions, names)
    take_remarks(given.course, found)
    releases = student_versions(given.course, names)
    for one in found:  # a file may have changed since it was graded
        if one.reason:
            continue
        try:
            checked(one, releases)
        except Refused as refused:
            one.reason = str(refused)
    rows, nbgrader = tabulate(given.course, found), api(given.course)
    with quiet():
        for row in rows:
            if row["status"] == "graded":
                done = write_feedback(nbgrader, given.course, row["assignment"], row["student"])
                if not done["success"] and no_page(done) not in row["remark"]:
                    row["remark"] = "; ".join(filter(None, [row["remark"], no_page(done)]))
    write_tables(given.course, with_kept(given.course, rows, names))
    return _told(given, rows)


def _told(given, rows):
    refused = sum(row["status"] == "refused" for row in rows)
    waiting = sum(bool(row["awaiting_hand"]) for row in rows)
    place = os.path.relpath(given.course)
    print(f"{len(rows)} submissions, {refused} refused, {waiting} with answers to grade by hand")
    print(f"{place}/grades.csv, {place}/lms.csv, {place}/feedback/")
    return 0


if __name__ == "__main__":
    sys.exit(main())
