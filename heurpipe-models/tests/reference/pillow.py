"""What Pillow makes of pictures: the reference that PictureDecoder is compared with.

Reads cases from the JSON file named first, [{"path", "fit", "width", "height", "resample", "shortest_edge", "fill", "region"}, ...], and writes each
result into the folder named second: N.rgb, rows of RGB bytes; prints the sizes, [[width, height], ...].
"""

import json
import sys
from pathlib import Path

from PIL import Image, ImageOps

FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "nearest": Image.Resampling.NEAREST,
}


resize = Image.Image.resize


def as_pillow_13(self, size, resample=Image.Resampling.BICUBIC, box=None, reducing_gap=None):
    """Which of both passes comes first shows, since what is between them is rounded: Pillow 13 begins with columns where height loses more than twice what width does."""
    assert box is None and reducing_gap is None
    lower, narrower = self.height - size[1], self.width - size[0]
    if resample != Image.Resampling.NEAREST and lower > 0 and lower > narrower * 2:
        self = resize(self, (self.width, size[1]), resample)
    return resize(self, size, resample)


if int(Image.__version__.split(".")[0]) < 13:
    Image.Image.resize = as_pillow_13


def part(picture, region):
    """The region in fractions, its edges rounded half up and kept within the picture."""

    def span(start, length, whole):
        first = min(max(int(start * whole + 0.5), 0), whole - 1)
        return first, min(max(int((start + length) * whole + 0.5), first + 1), whole)

    x, y, width, height = region
    left, right = span(x, width, picture.width)
    top, bottom = span(y, height, picture.height)
    return picture.crop((left, top, right, bottom))


def crop(picture, case, resample):
    """torchvision's functional.resize and functional.center_crop, on Pillow pictures."""
    width, height = picture.size
    edge = case["shortest_edge"]
    if edge is None:
        by_width = case["width"] * height >= case["height"] * width
        edge = case["width"] if by_width else case["height"]
    else:
        by_width = width <= height
    size = (edge, int(edge * height / width)) if by_width else (int(edge * width / height), edge)
    picture = picture.resize(size, resample)
    (width, height), (to_width, to_height) = picture.size, (case["width"], case["height"])
    if to_width > width or to_height > height:
        left, top = max(0, to_width - width) // 2, max(0, to_height - height) // 2
        padded = Image.new("RGB", (max(width, to_width), max(height, to_height)), tuple(case["fill"]))
        padded.paste(picture, (left, top))
        picture, (width, height) = padded, padded.size
    left, top = int(round((width - to_width) / 2.0)), int(round((height - to_height) / 2.0))
    return picture.crop((left, top, left + to_width, top + to_height))


def fitted(case):
    picture = ImageOps.exif_transpose(Image.open(case["path"])).convert("RGB")
    if case["region"] is not None:
        picture = part(picture, case["region"])
    size, resample = (case["width"], case["height"]), FILTERS[case["resample"]]
    match case["fit"]:
        case "stretch":
            return picture.resize(size, resample)
        case "crop":
            return crop(picture, case, resample)
        case "letterbox":
            return ImageOps.pad(picture, size, resample, color=tuple(case["fill"]))
        case "inside":
            picture.thumbnail(size, resample, reducing_gap=None)
            return picture


def main():
    cases, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    sizes = []
    for number, case in enumerate(cases):
        picture = fitted(case)
        (folder / f"{number}.rgb").write_bytes(picture.tobytes())
        sizes.append(picture.size)
    print(json.dumps(sizes))


main()
