"""The course: student versions cut from the reference solutions, and submissions graded apart.

`python -m helpers.grading assignments` and `python -m helpers.grading grade SUBMISSIONS` are
what `make assignments` and `make grade` run. `docs/teaching.md` is the guide.

* `sources`: the text of an assignment becomes nbgrader's source notebook.
* `course`: where the course lies, and nbgrader's settings.
* `release`: student versions, made and checked.
* `intake`: what students hand in is collected, and read or refused with a reason.
* `names`, `archives`: what a file's name tells, and what an archive holds.
* `cells`, `pieces`, `unmerging`, `standing`, `mending`, `assembling`: a notebook that anybody may
  have written becomes one that can be graded, with all that the student wrote.
* `suspicion`: words in code at which a person should look.
* `room`: runs one notebook apart from everything else, within limits.
* `limits`: of a room's time, memory and files.
* `fresh`: in the kernel, puts back before every test what the tests rely on.
* `apart`: the steps that nbgrader is given: run in a room, keep hidden tests out of feedback.
* `grade`: all of it for a class, with tables of the grades.

Nothing here knows about networks, and only `room` runs code that a student wrote.
"""
