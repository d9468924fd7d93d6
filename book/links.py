"""Ask each page of another site that the book links to whether it is still there: `python book/links.py`.

References need no look of their own: each is cited by a page.
A DOI is asked of doi.org's own registry, as publishers answer people only. Exits with 1 if a page is gone.
"""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

from common import pages
from common.pages import ROOT

# Sites that refuse or slow down programs: whether their pages are there, a person must look. Answers in REFUSED are
# no news from them.
PEOPLE = {"openreview.net", "creativecommons.org", "www.contributor-covenant.org"}
REFUSED = {401, 403, 405, 429, 503}
DOI = "https://doi.org/"
REGISTRY = "https://doi.org/api/handles/"
TRIES, PATIENCE = 3, 30  # seconds
AGENT = {"User-Agent": "Mozilla/5.0 (link check of a book)", "Accept": "*/*"}


def found():
    """{address: the files that link to it}, without fragments."""
    paths = [*ROOT.glob("*.md"), *(pages.NOTEBOOKS / lang / name for lang in pages.LANGUAGES for name in pages.names())]
    links = {}
    for path in paths:
        texts = [pages.text(path)] if path.parent == ROOT else pages.texts(path).values()
        for target in (target.partition("#")[0] for text in texts for target in pages.targets(text)):
            if target.startswith(("http://", "https://")):
                links.setdefault(target, set()).add(path.relative_to(ROOT).as_posix())
    return links


def ask(url, registry=REGISTRY):
    """What is wrong with an address, "" if nothing is."""
    asked = registry + quote(url.removeprefix(DOI), safe="/()") if url.startswith(DOI) else url
    said = ""
    for _ in range(TRIES):
        try:
            with urlopen(Request(asked, headers=AGENT), timeout=PATIENCE) as answer:
                return "" if asked == url or json.load(answer)["responseCode"] == 1 else "no such DOI"
        except HTTPError as error:
            said = f"answers {error.code}"
            if error.code in REFUSED and urlsplit(url).hostname in PEOPLE:
                return ""
            if error.code in (404, 410):
                return said
        except (URLError, OSError, ValueError) as error:
            said = str(getattr(error, "reason", error))
    return said


def main():
    links = found()
    with ThreadPoolExecutor(8) as pool:
        answers = dict(zip(links, pool.map(ask, links), strict=True))
    wrong = [f"{url}: {said}; in {', '.join(sorted(links[url]))}" for url, said in answers.items() if said]
    print(f"{len(links)} addresses, {len(wrong)} of them wrong", file=sys.stderr)
    sys.exit("\n".join(wrong) or None)


if __name__ == "__main__":
    main()
