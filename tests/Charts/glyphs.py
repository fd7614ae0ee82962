"""Makes Charts/glyphs.json: the letters of charts as small pictures, since a slim container has no font.

Run with Debian's python3-pil and fonts-dejavu-core:  python3 tests/Charts/glyphs.py > Charts/glyphs.json
"""
import base64
import json

from PIL import Image, ImageDraw, ImageFont

SIZE, HEIGHT = 13, 17
ranges = [(0x20, 0x7E), (0xA1, 0xAC), (0xAE, 0x17F), (0x391, 0x3C9), (0x401, 0x401), (0x410, 0x44F), (0x451, 0x451)]
letters = [chr(code) for first, last in ranges for code in range(first, last + 1)] + list("–—‘’“”•…€→∞≤≥□")
font = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", SIZE)

glyphs = {}
for letter in letters:
    left, top, right, bottom = font.getbbox(letter)
    width, height = max(right - left, 0), max(bottom - top, 0)
    image = Image.new("L", (max(width, 1), max(height, 1)))
    ImageDraw.Draw(image).text((-left, -top), letter, font=font, fill=255)
    levels = [round(value / 17) for value in image.getdata()] if width and height else []  # 0 to 15, two in a byte
    packed = bytes((levels[i] << 4) | (levels[i + 1] if i + 1 < len(levels) else 0) for i in range(0, len(levels), 2))
    glyphs[letter] = f"{round(font.getlength(letter))} {left} {top} {width} {base64.b64encode(packed).decode()}"

print(json.dumps({
    "about": "DejaVu Sans, 13 pixels, drawn by tests/Charts/glyphs.py. Each glyph: advance, left, top, width, 4-bit coverage row by row. "
             "Bitstream Vera: Copyright (c) 2003 by Bitstream, Inc. All Rights Reserved. Bitstream Vera is a trademark of Bitstream, Inc. "
             "DejaVu changes are in public domain.",
    "height": HEIGHT,
    "glyphs": glyphs,
}, ensure_ascii=False, indent=0))
