"""Notice a page that changed in one language and not in the other.

`acknowledge` writes the hashes of both texts of every pair into notebooks/translations.json, which is
committed: it says that somebody has looked at both. `check` lists the pairs that have changed since.
"""

import hashlib
import json
import re
import sys

from common import pages

PATH = pages.NOTEBOOKS / "translations.json"


def pairs(root=pages.NOTEBOOKS):
    """{page: {key: "hash of en, hash of zh"}} of the pages as they are; measured numbers do not count."""
    found = {}
    for name in pages.names(root=root):
        sides = [_hashes(root / lang / name) for lang in pages.LANGUAGES]
        keys = dict.fromkeys([*sides[0], *sides[1]])
        found[name] = {key: " ".join(side.get(key, "-") for side in sides) for key in keys}
    return found


def _hashes(path):
    if not path.exists():
        return {}
    return {k: hashlib.sha256(pages.blank(t).encode()).hexdigest()[:10] for k, t in pages.texts(path).items()}


def acknowledge(root=pages.NOTEBOOKS):
    """Write the pairs as they are. A text that only one language has cannot be acknowledged."""
    found = pairs(root)
    alone = [f"{page}, {key or 'top'}" for page, keys in found.items() for key, both in keys.items() if "-" in both]
    if alone:
        raise ValueError("only one language has " + "; ".join(alone) + ". Write the other, then `make acknowledge`.")
    pages.write(root / PATH.name, json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def check(root=pages.NOTEBOOKS):
    """Sentences, one for each pair that is not as it was acknowledged."""
    path = root / PATH.name
    before = pages.read(path, _acknowledged, instead="`make acknowledge`") if path.exists() else {}
    now, told = pairs(root), []
    for page in sorted({*before, *now}):
        if page not in before or page not in now:
            told.append(f"{page}: {_compare(before.get(page), now.get(page))}")
            continue
        old, new = before[page], now[page]
        for key in dict.fromkeys([*old, *new]):
            said = _compare(old.get(key), new.get(key))
            if said:
                told.append(f"{page}, {key or 'top'}: {said}")
    return told


def _acknowledged(data):
    """What `acknowledge` wrote. No digest: whatever else became of a hash is told by `check` anyway."""
    found = pages.check(json.loads(data), {str: {str: str}})
    for page, keys in found.items():
        for key, both in keys.items():
            if not re.fullmatch("[0-9a-f]{10} [0-9a-f]{10}", both):
                raise ValueError(f"{page}, {key or 'top'} has {both!r}, expected the hashes of two texts")
    return found


def _compare(old, new):
    if old == new:
        return ""
    if old is None or new is None:
        return f"{'new' if old is None else 'gone'}: when both languages agree, `make acknowledge`"
    (en, zh), (en_now, zh_now) = old.split(), new.split()
    if en != en_now and zh != zh_now:
        return "both languages changed: when they agree, `make acknowledge`"
    changed, other = pages.LANGUAGES if en != en_now else pages.LANGUAGES[::-1]
    return f"{changed} changed, {other} did not: bring it into line, then `make acknowledge`"


def main(argv):
    try:
        if argv == ["acknowledge"]:
            acknowledge()
            return 0
        if argv == ["check"]:
            told = check()
            print("\n".join(told) or "both languages are as they were acknowledged")
            return int(bool(told))
    except (OSError, ValueError) as error:
        raise SystemExit(str(error)) from None
    raise SystemExit(f"got {' '.join(argv) or 'nothing'}, expected: acknowledge | check")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
