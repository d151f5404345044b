"""The divisions of China from the national statistical codes."""

import re

import world
from claims import CITY, REGION, Claims
from han import traditional
from packages import Packages

# In the order of their codes; those of Taiwan, Hong Kong and Macao have ISO codes of their own.
OUTSIDE_THE_LIST = {"71": "台湾", "81": "香港", "82": "澳门"}
# The least populous province has more people than this.
PROVINCE_PEOPLE = 3_000_000
# Most prefectures have fewer.
PREFECTURE_PEOPLE = 10_000_000

PROVINCE = re.compile(r"(壮族|回族|维吾尔)?(自治区|省|市)$")
# 延边朝鲜族自治州 is called 延边.
PREFECTURE = re.compile(r"([^\W\d_]{2,}?)(?:" + "|".join(
    "朝鲜族 土家族 苗族 藏族 羌族 彝族 布依族 侗族 哈尼族 壮族 傣族 白族 景颇族 傈僳族 回族 蒙古族 蒙古 柯尔克孜 哈萨克".split()
) + r")*(?:自治州|地区|盟|市|县)")


def short_province(name: str) -> str:
    return PROVINCE.sub("", name)


def short_city(name: str) -> str:
    match = PREFECTURE.fullmatch(name)
    return match.group(1) if match else name


def provinces(packages: Packages) -> list[dict]:
    return packages.json("china-division", "package/dist/provinces.json")


def cities(packages: Packages) -> list[dict]:
    """Prefectures, without the headings under which districts and counties stand that belong to none."""
    listed = packages.json("china-division", "package/dist/cities.json")
    return [city for city in listed if not is_heading(city["name"])]


def is_heading(name: str) -> bool:
    return name in ("市辖区", "县") or "直辖" in name


def areas_without_prefecture(packages: Packages) -> list[dict]:
    """The districts of the municipalities and the counties that are governed by their province."""
    prefectures = {city["code"] for city in cities(packages)}
    listed = packages.json("china-division", "package/dist/areas.json")
    return [area for area in listed if area["cityCode"] not in prefectures]


def county_cities(packages: Packages) -> list[dict]:
    listed = packages.json("china-division", "package/dist/areas.json")
    return [area for area in listed if area["name"].endswith("市")]


def add_divisions(claims: Claims, packages: Packages) -> None:
    for province in provinces(packages):
        short = short_province(province["name"])
        for name in both_scripts(province["name"], short):
            claims.add(name, "CN", REGION, PROVINCE_PEOPLE)
    people = people_of_cities(packages)
    for city in cities(packages):
        for name in both_scripts(city["name"], short_city(city["name"])):
            claims.add(name, "CN", CITY, people.get(name), at_most=PREFECTURE_PEOPLE)
    # By their full names alone: 灯塔 is a lighthouse, 灯塔市 a city.
    for city in county_cities(packages):
        claims.add(city["name"], "CN", CITY, people.get(city["name"]), at_most=PREFECTURE_PEOPLE)
    for city in packages.json("china-division", "package/dist/HK-MO-TW.json")["台湾省"]:
        for name in both_scripts(city, short_city(city)):
            claims.add(name, "TW", CITY, None, at_most=PREFECTURE_PEOPLE)


def both_scripts(*names: str) -> set[str]:
    return {*names, *map(traditional, names)}


def people_of_cities(packages: Packages) -> dict[str, int]:
    """The people of the cities of China by each of their names, after GeoNames."""
    people: dict[str, int] = {}
    for city in world.cities(packages):
        if city["countrycode"] == "CN":
            for name in city["alternatenames"]:
                people[name] = max(people.get(name, 0), city["population"])
    return people


def codes(packages: Packages) -> str:
    """National code and short name, of four digits for prefectures and six for what has none above it."""
    lines = {province["code"]: short_province(province["name"]) for province in provinces(packages)}
    lines |= OUTSIDE_THE_LIST
    lines |= {city["code"]: short_city(city["name"]) for city in cities(packages)}
    lines |= {area["code"]: area["name"] for area in areas_without_prefecture(packages)}
    return "".join(f"{code}\t{name}\n" for code, name in sorted(lines.items()))
