"""Names in Han in both of its forms, by OpenCC (`pip install opencc-python-reimplemented==0.1.7`)."""

from functools import cache

from opencc import OpenCC


@cache
def converter(direction: str) -> OpenCC:
    return OpenCC(direction)


def simplified(name: str) -> str:
    return converter("t2s").convert(name)


def traditional(name: str) -> str:
    return converter("s2t").convert(name)
