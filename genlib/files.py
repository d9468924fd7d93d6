"""Files of the book: read with a word for whatever is wrong with them, written whole or not at all.

This needs no torch, as the book's build reads and writes by it too.
"""

import hashlib
import json
import os
import time
from pathlib import Path

_SEAL = "sha256"  # the key of a JSON file's digest


def read(path, parse, *, instead=""):
    """What `parse` makes of the bytes of the file at `path`.

    instead: another way out than the committed file, such as "`make results`". Raises ValueError, with the file, what
    was found and the way out, if the file cannot be read or if `parse` raises anything.
    """
    way_out = f"Take the committed file back (`git checkout -- {path}`){instead and f', or {instead}'}."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}. {way_out}") from error
    try:
        return parse(content)
    except Exception as error:  # parsers of other people's raise what they like
        found = f"{type(error).__name__}, {' '.join(str(error).split())[:300]}"
        raise ValueError(f"{path}: damaged, or not what belongs there: {found}. {way_out}") from error


def check(value, shape, place="the whole"):
    """ValueError, naming the place, unless a value read from JSON or YAML has this shape.

    shape: a type; [shape] of every item of a list; {key: shape} of these keys, of which those that end in "?" may be
    missing, or {str: shape} of any. Returns the value.
    """
    kind = shape if isinstance(shape, type) else type(shape)
    if not isinstance(value, kind):
        raise ValueError(f"{place} is of type {type(value).__name__}, expected {kind.__name__}")
    if isinstance(shape, list):
        for number, item in enumerate(value):
            check(item, shape[0], f"item {number} of {place}")
    if isinstance(shape, dict):
        keys = {name: value for name, value in shape.items() if name is not str}
        needed = {name for name in keys if not name.endswith("?")}
        if needed - set(value):
            raise ValueError(f"{place} has no {', '.join(sorted(needed - set(value)))}")
        for key, item in value.items():
            inner = keys.get(key, keys.get(f"{key}?", shape.get(str)))
            if inner is None or not isinstance(key, str):
                raise ValueError(f"{place} has {key!r}, expected some of {', '.join(keys)}")
            check(item, inner, f"{key!r} of {place}")
    return value


def sealed(content, **style):
    """The text of a JSON file that holds an object and, as its "sha256", the digest of all else in it.

    style: as json.dumps takes it. A digest tells what no parser can: a damaged digit is a number too.
    """
    return json.dumps({_SEAL: _digest(content), **content}, indent=1, **style) + "\n"


def unsealed(data):
    """The object in the text or bytes that `sealed` gave. Raises ValueError if it is not what was sealed."""
    content = check(json.loads(data), dict)
    said, found = content.pop(_SEAL, "nothing"), _digest(content)
    if said != found:
        raise ValueError(f"its content has the sha256 {found}, but it says {said}")
    return content


def write(path, content):
    """Put text or bytes into the file at `path`, whole or not at all. Returns whether that changed the file.

    Raises OSError, with the file and why, if that cannot be; what stood there then still stands there.
    """
    path, data = Path(path), content.encode("utf-8") if isinstance(content, str) else content
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        if path.exists() and path.read_bytes() == data:
            return False
        part.write_bytes(data)
        _replace(part, path, data)
    except OSError as error:
        told = f"{error.strerror}. Not written, and what stood there still does"
        raise OSError(error.errno, told, str(path)) from error
    finally:
        part.unlink(missing_ok=True)
    return True


def check_target(path):
    """Raise OSError, with the way out, unless a file can be written at `path`: to be asked before hours of work."""
    path = Path(path)
    if not path.parent.is_dir():
        told = f"there is no folder {path.parent}: make it first, or name a file elsewhere"
    elif path.is_dir():
        told = "that is a folder: name a file"
    elif not os.access(path.parent, os.W_OK):
        told = f"nothing may be written into {path.parent}: name a file elsewhere"
    else:
        return
    raise OSError(f"{path}: {told}")


def _digest(content):
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _replace(part, path, data):
    """os.replace, which Windows refuses while another process reads or replaces the same file."""
    for wait in (0.01, 0.1, 0.5, 1.0, None):
        try:
            return os.replace(part, path)
        except PermissionError:
            if wait is None:
                raise
            time.sleep(wait)
            if path.is_file() and path.read_bytes() == data:
                return None  # the other one has written the same
