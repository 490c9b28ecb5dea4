#!/usr/bin/env python3
"""Makes small images of every kind and what Pillow (below 13) decodes and resizes them to.

    pip install 'pillow<13' numpy
    ./make_fixtures.py

NAME.jpg, NAME.png       an encoded image
NAME.rgb, NAME.gray      Image.open(NAME).convert("RGB" or "L"), raw bytes, row by row
resize.W.H.rgb, .gray    photo.png resized to W x H, bilinear
region.W.H.rgb           photo.png cropped to (5, 3, 38, 40), then resized
center.S.C.rgb           photo.png with the shorter side resized to S, then its C x C centre

tagged.*                 with an EXIF orientation and an ICC profile
deep*.png                16 bits a sample; Pillow keeps the upper 8 bits
huge.png                 a header of 60,000 x 60,000 pixels and no data

TurboJPEG itself encodes what Pillow cannot (4:4:0, YCCK).
"""

import ctypes
import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

random = np.random.default_rng(1)
encoded = {}


def scene(width, height):
    """Smooth colours, sharp edges and a little noise."""
    y, x = np.mgrid[0:height, 0:width]
    red = 255 * x / width
    green = 127 + 120 * np.sin(x / 5 + y / 3)
    blue = np.where((x // 6 + y // 6) % 2, 230, 20)
    image = np.stack([red, green, blue], axis=2) + random.normal(0, 12, (height, width, 3))
    return Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))


def add(name, image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG" if name.endswith("jpg") else "PNG", **options)
    encoded[name] = buffer.getvalue()


def turbojpeg(image, pixel_format, subsampling):
    library = ctypes.CDLL("libturbojpeg.so.0")
    library.tjInitCompress.restype = ctypes.c_void_p
    handle = ctypes.c_void_p(library.tjInitCompress())
    output, size = ctypes.c_void_p(), ctypes.c_ulong()
    status = library.tjCompress2(
        handle, image.tobytes(), image.width, 0, image.height, pixel_format,
        ctypes.byref(output), ctypes.byref(size), subsampling, 90, 0)
    assert status == 0
    return ctypes.string_at(output, size.value)


def png(width, height, depth, color_type, rows):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


picture = scene(27, 19)
gray = picture.convert("L")
alpha = Image.fromarray(random.integers(0, 256, (19, 27), dtype=np.uint8))
with_black = Image.merge("CMYK", (*picture.split(), alpha))  # Pillow itself converts to black 0
for subsampling in (444, 422, 420):
    add(f"{subsampling}.jpg", picture, quality=90, subsampling=(444, 422, 420).index(subsampling))
add("progressive.jpg", picture, quality=90, progressive=True)
add("restart.jpg", picture, quality=90, restart_marker_blocks=1)
add("gray.jpg", gray, quality=90)
add("cmyk.jpg", with_black, quality=90)
encoded["440.jpg"] = turbojpeg(picture, 0, 4)
encoded["ycck.jpg"] = turbojpeg(with_black, 11, 2)
start = encoded["444.jpg"].index(b"\xff\xda")  # start of scan
encoded["extraneous.jpg"] = (
    encoded["444.jpg"][:start] + b"\x12\x34\x56" + encoded["444.jpg"][start:])

gamma = PngImagePlugin.PngInfo()
gamma.add(b"gAMA", (100000).to_bytes(4, "big"))
with_alpha, gray_alpha = picture.copy(), gray.copy()
with_alpha.putalpha(alpha)
gray_alpha.putalpha(alpha)
add("rgb.png", picture)
add("gamma.png", picture, pnginfo=gamma)
add("rgba.png", with_alpha)
add("gray.png", gray)
add("gray-alpha.png", gray_alpha)
add("1-bit.png", picture.convert("1"))
add("palette.png", picture.quantize(50), transparency=bytes(range(0, 250, 5)))
add("palette-2-bit.png", picture.quantize(4), bits=2)
deep = random.integers(0, 65536, (19, 27, 3), dtype=np.uint16).astype(">u2")
encoded["deep.png"] = png(27, 19, 16, 2, b"".join(b"\0" + row.tobytes() for row in deep))
for name, color_type, samples in (("deep-gray-alpha.png", 4, 2), ("deep-rgba.png", 6, 4)):
    pixels = np.random.default_rng(samples).integers(0, 65536, (19, 27, samples), dtype=np.uint16)
    rows = pixels.astype(">u2")
    encoded[name] = png(27, 19, 16, color_type, b"".join(b"\0" + row.tobytes() for row in rows))

profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
exif = Image.Exif()
exif[0x0112] = 6  # orientation: turned by 90 degrees
add("tagged.jpg", picture, quality=90, exif=exif, icc_profile=profile)
add("tagged.png", picture, exif=exif, icc_profile=profile)

for name, data in encoded.items():
    open(name, "wb").write(data)
    image = Image.open(io.BytesIO(data))
    open(name + ".rgb", "wb").write(image.convert("RGB").tobytes())
    open(name + ".gray", "wb").write(image.convert("L").tobytes())
# Pillow would convert 16 bits of gray to white.
deep_gray = deep[:, :, 0].copy()
open("deep-gray.png", "wb").write(
    png(27, 19, 16, 0, b"".join(b"\0" + row.tobytes() for row in deep_gray)))
open("deep-gray.png.gray", "wb").write((deep_gray >> 8).astype(np.uint8).tobytes())
open("huge.png", "wb").write(png(60000, 60000, 8, 2, b""))

photo = scene(41, 53)
photo.save("photo.png")
bilinear = Image.Resampling.BILINEAR
for size in ((20, 26), (41, 17), (9, 53), (70, 90), (13, 80)):
    name = f"resize.{size[0]}.{size[1]}"
    open(name + ".rgb", "wb").write(photo.resize(size, bilinear).tobytes())
    open(name + ".gray", "wb").write(photo.convert("L").resize(size, bilinear).tobytes())
    region = photo.crop((5, 3, 38, 40)).resize(size, bilinear)
    open(f"region.{size[0]}.{size[1]}.rgb", "wb").write(region.tobytes())
for shorter, crop in ((32, 28), (36, 31), (41, 41), (50, 50)):
    height = shorter * 53 // 41
    left, top = round((shorter - crop) / 2), round((height - crop) / 2)
    view = photo.resize((shorter, height), bilinear).crop((left, top, left + crop, top + crop))
    open(f"center.{shorter}.{crop}.rgb", "wb").write(view.tobytes())
