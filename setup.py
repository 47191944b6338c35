"""What `pyproject.toml` cannot say: a wheel carries the records and the kept weights as well.

In the project they lie in `data`, outside the package; in a wheel, in `helpers/data`. There
`helpers.data.records.kept_folder` finds them.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

KEPT = ("results/*.json", "weights/*.json", "weights/*.jsonl", "weights/*.npz")


class BuildWithKept(build_py):
    """The step that gathers the files of a wheel; these files come after the modules."""

    def _kept(self):
        """`(file in the project, file in the wheel)` of each of them."""
        found = {pattern: sorted(Path("data").glob(pattern)) for pattern in KEPT}
        missing = [f"data/{pattern}" for pattern, paths in found.items() if not paths]
        if missing:
            raise FileNotFoundError(f"A wheel carries {', '.join(missing)}, and none is here.")
        to = Path(self.build_lib, "helpers")
        return [(str(path), str(to / path)) for paths in found.values() for path in paths]

    def run(self):
        """Copy modules and files; of an installation with `-e`, which reads the checkout, none."""
        super().run()
        for source, target in [] if self.editable_mode else self._kept():
            self.mkpath(str(Path(target).parent))
            self.copy_file(source, target, preserve_mode=False)

    def get_source_files(self):
        """What a source archive needs, so that a wheel can be built from it."""
        return [*super().get_source_files(), *(source for source, _ in self._kept())]

    def get_outputs(self, include_bytecode=True):
        """What `run` writes."""
        kept = [] if self.editable_mode else [target for _, target in self._kept()]
        return [*super().get_outputs(include_bytecode), *kept]


setup(cmdclass={"build_py": BuildWithKept})
