"""What each name may mean, and which country it says."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from folding import fold

COUNTRY, REGION, CITY = "n", "r", "c"
STRENGTH = [COUNTRY, REGION, CITY]

# A name says the country of its largest bearer where that has so many times the people of the next one in another country.
TIMES = 10
# A city or region of fewer people says no country by its name alone.
PEOPLE = 100_000
# Latin names that are shorter are abbreviations or syllables: they say no country by themselves, but for these.
LETTERS = 4
KNOWN_ABBREVIATIONS = {"uk", "usa", "uae", "nyc"}


@dataclass
class Bearer:
    """What bears a name in one country: that with the most people, but for the country itself."""

    kind: str
    people: int | None
    # How many it may be at most, where nobody has counted them.
    at_most: int = 0

    def add(self, other: "Bearer") -> None:
        self.kind = min(self, other, key=Bearer.rank).kind
        self.people = max(self.people or 0, other.people or 0) or None
        self.at_most = max(self.at_most, other.at_most)

    def most(self) -> int:
        return max(self.people or 0, self.at_most)

    def rank(self) -> tuple:
        return self.kind != COUNTRY, -(self.people or 0), STRENGTH.index(self.kind)


class Claims:
    def __init__(self) -> None:
        self.bearers: dict[str, dict[str, Bearer]] = defaultdict(dict)
        # Names that decide nothing by themselves.
        self.weak: set[str] = words()
        # Names that are kept though they decide nothing: they confirm what stands beside them.
        self.kept: set[str] = set()

    def add(
        self, name: str, country: str, kind: str, people: int | None, *, at_most: int = 0, keep: bool = True
    ) -> None:
        """Says that `name` may mean something in `country`; `people` None: not known, but `at_most` so many."""
        name = fold(name)
        bearer = Bearer(kind, people, at_most)
        if country in self.bearers[name]:
            self.bearers[name][country].add(bearer)
        else:
            self.bearers[name][country] = bearer
        if keep:
            self.kept.add(name)

    def is_weak(self, name: str) -> bool:
        is_short = name.isascii() and len(name) < LETTERS and name not in KNOWN_ABBREVIATIONS
        return is_short or name in self.weak

    def countries_by_name(self) -> dict[str, set[str]]:
        return {name: set(bearers) for name, bearers in self.bearers.items()}

    def lines(self) -> str:
        lines = []
        for name, bearers in self.bearers.items():
            said = None if self.is_weak(name) else decided(bearers)
            if not name or (said is None and name not in self.kept):
                continue
            others = sorted((STRENGTH.index(b.kind), c) for c, b in bearers.items() if c != said)
            words = [f"={bearers[said].kind}{said}"] if said else []
            words += [f"{STRENGTH[kind]}{country}" for kind, country in others]
            lines.append(f"{name}\t{' '.join(words)}\n")
        return "".join(sorted(lines, key=lambda line: line.split("\t")[0].encode()))


def decided(bearers: dict[str, Bearer]) -> str | None:
    """The country that a name says by itself."""
    countries = [code for code, bearer in bearers.items() if bearer.kind == COUNTRY]
    if countries:
        return decided_country(countries, bearers)
    if len(bearers) == 1:
        (code, bearer), = bearers.items()
        return code if is_enough(bearer) else None
    (code, first), *others = sorted(bearers.items(), key=lambda item: -(item[1].people or 0))
    outweighs = all((first.people or 0) >= TIMES * other.most() for _, other in others)
    return code if outweighs and is_enough(first) else None


def decided_country(countries: list[str], bearers: dict[str, Bearer]) -> str | None:
    """A country's own name says it, unless a region elsewhere of that name is of comparable size; cities never contest it."""
    if len(countries) > 1:
        return None
    code, = countries
    people = bearers[code].people or 0
    contested = any(
        bearer.kind == REGION and (bearer.people or 0) * TIMES > people
        for other, bearer in bearers.items()
        if other != code
    )
    return None if contested else code


def is_enough(bearer: Bearer) -> bool:
    if bearer.people is None:
        # A city of which no number is known is one of China's list.
        return bearer.kind == CITY
    return bearer.people >= PEOPLE


def words() -> set[str]:
    lines = Path(__file__).with_name("words.txt").read_text(encoding="utf-8").splitlines()
    return {word for line in lines if not line.startswith("#") for word in line.split()}
