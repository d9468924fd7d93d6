"""Weigh the built book: `python book/weigh.py [--build _build]` opens each page in a browser and prints a table.

KB are 1000 bytes over the wire, with text as gzip packs it; ready is the time from opening a page to its first live
digit; move is the time that one step of a slider takes, to decode and draw. Exits with 1 if anything is over its limit.
"""

import argparse
import gzip
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from common.browser import launched, served

BUILD = Path(__file__).resolve().parents[1] / "_build"
PLAIN = 400  # KB
# KB of the first page, and of those that hold models
WEIGHTS = {
    "index": 650,
    "01_autoencoder": 900,
    "02_kl_divergence": 450,
    "03_vae": 1500,
    "04_measuring_generation": 2000,
    "playground": 2500,
}
READY = 1000  # ms
MOVE = 2  # ms, the median of MOVES
MOVES = 120
OPENINGS = 3  # of which the fastest counts: the others measure what else the machine does
PATIENCE = 60_000  # ms
TEXT = re.compile(r"text/|javascript|json|xml")
PACKED = re.compile(rb"[A-Za-z0-9+/]{20000,}")  # a large buffer, wherever it is written

# Notes when the first picture of a widget is there, and when the first decoded digit is.
WATCH = """
  window.firsts = {};
  const isDrawn = (picture) =>
    picture.tagName === "CANVAS"
      ? picture.width && picture.getContext("2d").getImageData(0, 0, picture.width, picture.height).data.some((v) => v)
      : picture.querySelector("path[d]");
  const look = () => {
    for (const [name, selector] of [["any", ":is(canvas, svg)"], ["digit", ".genlib-digit canvas"]]) {
      const picture = document.querySelector(`.live-widget ${selector}`);
      if (picture && !(name in firsts) && isDrawn(picture)) firsts[name] = performance.now();
    }
    if (!firsts.digit && performance.now() < 20000) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
"""
DRAG = """async (input, moves) => {
  const times = [];
  for (let i = 0; i < moves; i++) {
    input.value = Number(input.min) + ((37 * i) % 101) / 100 * (input.max - input.min);
    const start = performance.now();
    input.dispatchEvent(new Event("input"));
    for (let turn = 0; turn < 5; turn++) await null; // the microtasks that decode and draw
    times.push(performance.now() - start);
  }
  return times;
}"""


@dataclass
class Weight:
    """What one page costs: bytes over the wire, requests, bytes of large buffers beyond their first copy, ms."""

    bytes: int
    requests: int
    repeated: int
    ready: float | None  # of pages with widgets
    move: float | None  # of pages with sliders, the slowest widget's median


def weigh(browser, url, openings=OPENINGS):
    """The weight of a page, read by a browser with an empty cache."""
    page, responses = _opened(browser, url)
    bodies = [(response, response.body()) for response in responses]
    sizes = [len(gzip.compress(body, 6) if _is_text(response) else body) for response, body in bodies]
    buffers = Counter(found for response, body in bodies if _is_text(response) for found in PACKED.findall(body))
    moves = [
        median(widget.locator("input[type=range]").first.evaluate(DRAG, MOVES))
        for widget in page.locator(".live-widget:has(input[type=range])").all()
    ]
    ready = [_ready(page)]
    page.context.close()
    for _ in range(openings - 1 if ready[0] else 0):
        page, _ = _opened(browser, url)
        ready.append(_ready(page))
        page.context.close()
    return Weight(
        bytes=sum(sizes),
        requests=len(sizes),
        repeated=sum(len(buffer) * (times - 1) for buffer, times in buffers.items()),
        ready=min(filter(None, ready), default=None),
        move=max(moves, default=None),
    )


def _opened(browser, url):
    """The page when it has loaded everything, mathematics and its fonts included, and all responses."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    page, responses = context.new_page(), []
    page.on("response", lambda response: response.url.startswith("http") and responses.append(response))
    page.add_init_script(WATCH)
    page.goto(url)
    page.wait_for_function("!document.querySelector('[aria-busy=true]')")
    page.evaluate("window.MathJax?.startup.promise.then(() => document.fonts.ready).then(() => null)")
    page.wait_for_load_state("networkidle")
    return page, responses


def _ready(page):
    """ms to the first digit, or picture where no widget has digits; None where there is no widget."""
    firsts = page.evaluate("firsts")
    return firsts.get("digit", firsts.get("any"))


def _is_text(response):
    return bool(TEXT.search(response.headers.get("content-type", "")))


def too_much(stem, weight):
    """What is over its limit on a page, as sentences."""
    measured = [
        ("KB", weight.bytes / 1000, WEIGHTS.get(stem, PLAIN)),
        ("bytes of buffers that were there already", weight.repeated, 0),
        ("ms to ready", weight.ready or 0, READY),
        ("ms a move", weight.move or 0, MOVE),
    ]
    return [f"{value:.4g} {unit}, allowed are {limit}" for unit, value, limit in measured if value > limit]


def stems(html):
    """The names of the pages, equal in both languages."""
    return sorted(path.stem for path in (html / "en").glob("*.html"))


def main():
    parser = argparse.ArgumentParser(description="Weigh the built book.")
    parser.add_argument("--build", type=Path, default=BUILD, help="what book/build.py has written; default: _build")
    html = parser.parse_args().build.resolve() / "html"
    if not (html / "index.html").exists():
        sys.exit(f"{html} holds no book: make it with `make book`.")
    broken = []
    row = "{:16}{:>8}{:>8}{:>8}{:>10}{:>10}{:>10}".format
    print(row("", "en KB", "zh KB", "limit", "requests", "ready ms", "move ms"))
    with launched() as browser, served(html) as address:
        for stem in stems(html):
            both = {lang: weigh(browser, f"{address}/{lang}/{stem}.html") for lang in ("en", "zh")}
            broken += [f"{lang}/{stem}: {what}" for lang, weight in both.items() for what in too_much(stem, weight)]
            print(
                row(
                    stem,
                    *(f"{weight.bytes / 1000:.0f}" for weight in both.values()),
                    WEIGHTS.get(stem, PLAIN),
                    max(weight.requests for weight in both.values()),
                    _slower(both, "ready", 0),
                    _slower(both, "move", 2),
                ),
                flush=True,
            )
    print(f"{'limit':50}{READY:>10}{MOVE:>10}")
    if broken:
        sys.exit("Over the limit:\n" + "\n".join(broken))


def _slower(both, what, decimals):
    times = [getattr(weight, what) for weight in both.values()]
    return "" if None in times else f"{max(times):.{decimals}f}"


if __name__ == "__main__":
    try:
        main()
    except FileNotFoundError as error:
        sys.exit(str(error))
