"""Fetch the scripts that the pages need, once, so that a page asks nobody but its own site.

Each package comes through `npm pack` in the version named here, its archive must have the SHA-256
named here, and only the files that a page loads are kept. Nothing of them is stored with the
project.

    python docs/site/vendor.py FOLDER
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

# package, version, SHA-256 of the archive, {file in the archive: name under the folder}
PACKAGES = (
    (
        "mathjax",
        "3.2.2",
        "1b9c0a1c44df864e915690558e72adb9cc5203360daefd385084ced3b6c64c09",
        {
            "es5/tex-svg-full.js": "pages/mathjax/tex-svg-full.js",
            "LICENSE": "pages/mathjax/LICENSE",
        },
    ),
    (
        "requirejs",
        "2.3.7",
        "31f3330c978fb28684622fe71165dc946432cf0210b2ea8a1ca0233e70f2737d",
        {"require.js": "pages/require.js"},
    ),
    (
        "@jupyter-widgets/html-manager",
        "1.0.14",
        "9d647396585ef74da93f87f645c5dcc14bebf5784192c577f72b199597614e81",
        {
            "dist/embed-amd.js": "pages/widgets/embed-amd.js",
            "LICENSE": "pages/widgets/LICENSE",
            # Icons of buttons; the script looks for them beside itself.
            "dist/1551f4f60c37af51121f.woff2": "pages/widgets/1551f4f60c37af51121f.woff2",
            "dist/7a3337626410ca2f4071.woff2": "pages/widgets/7a3337626410ca2f4071.woff2",
            "dist/d878b0a6a1144760244f.woff2": "pages/widgets/d878b0a6a1144760244f.woff2",
        },
    ),
    # For the tests in a browser; no page loads it.
    (
        "axe-core",
        "4.14.1",
        "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745",
        {"axe.min.js": "tests/axe.min.js"},
    ),
)


class VendorError(RuntimeError):
    """A script that could not be fetched, or is not the one that was chosen."""


def missing(folder):
    """The kept files that are not in a folder."""
    wanted = [name for *_, files in PACKAGES for name in files.values()]
    return [name for name in wanted if not (Path(folder) / name).is_file()]


def fetch(folder, packages=PACKAGES, pack=None):
    """Fetch, verify and unpack every package whose files are not all there.

    Args:
        folder: where the kept files go.
        packages: as `PACKAGES`.
        pack: `(name, version, folder)` → path of the archive; None asks npm.

    Raises:
        VendorError: If npm is missing or fails, or an archive is not the one named.
    """
    for name, version, wanted, files in packages:
        if all((Path(folder) / kept).is_file() for kept in files.values()):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            archive = (pack or _npm_pack)(name, version, Path(scratch))
            found = hashlib.sha256(archive.read_bytes()).hexdigest()
            if found != wanted:
                raise VendorError(
                    f"{name} {version} is not the archive that was chosen: "
                    f"SHA-256 {found}, not {wanted}."
                )
            _keep(archive, files, Path(folder))


def _npm_pack(name, version, folder):
    npm = shutil.which("npm")
    if npm is None:
        raise VendorError("The site needs npm (it comes with Node.js) to fetch MathJax once.")
    command = [npm, "pack", "--silent", f"{name}@{version}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    archives = list(folder.glob("*.tgz"))
    if done.returncode or len(archives) != 1:
        raise VendorError(f"npm pack {name}@{version} failed: {done.stderr.strip()[-400:]}")
    return archives[0]


def _keep(archive, files, folder):
    with tarfile.open(archive) as tar:
        for inside, kept in files.items():
            target = folder / kept
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f"part-{target.name}")
            part.write_bytes(tar.extractfile(f"package/{inside}").read())
            part.replace(target)


if __name__ == "__main__":
    try:
        fetch(sys.argv[1])
    except VendorError as error:
        sys.exit(str(error))
