"""A machine room that no learner needs to enter: the course, for a teacher who grades it.

Student versions are cut from the reference solutions in `notebooks/assignments/py`, and what comes
back is graded with nbgrader. `python -m helpers.grading --help`; docs/teaching.md tells how.

* Made: `assignment_source` (from the text to nbgrader's source notebook), `release` (student
  versions, checked), `course` (where it lies, nbgrader's settings).
* Read: `submission_files` and `archives` (found, unpacked, refused with a reason), `file_names`
  (whose a file is), `unusual_code` (words at which a person should look).
* Restored, because anybody may have changed the cells of a notebook: `cells`, `answer_cells`,
  `merged_cells`, `misplaced_answers`, `restoring`, `assembling`.
* Run and graded: `sandbox` (a notebook apart from everything else; only it runs code that a
  student wrote), `limits`, `namespace` (in the kernel, what tests rely on), `preprocessors`
  (nbgrader's steps), `grade` (grades and feedback), `tables` (of a class, also in parts).

Notebooks: none; the assignments alone.
"""
