"""Carry the repository's address everywhere: python book/set_repo.py [URL [REF]]

REF is the tag whose code the set-up cells install and whose notebooks the buttons open (default: v and the package's
version). Without an address it names the files that say otherwise than _config.yml. Python alone is enough.
"""

import sys

from common.repository import ROOT, carry, checked, differences, version


def main(arguments):
    if not arguments:
        found = [str(path.relative_to(ROOT)) for path in differences()]
        sys.exit(f"otherwise than _config.yml: {', '.join(found)}; run make set-repo" if found else None)
    try:
        url, ref = checked(arguments[0], arguments[1] if len(arguments) > 1 else f"v{version()}")
    except ValueError as error:
        sys.exit(str(error))
    for path in carry(url, ref):
        print("written:", path.relative_to(ROOT))
    print(f"To publish it: git commit -am 'The address of the book', git tag {ref}, git push origin HEAD {ref}")


if __name__ == "__main__":
    main(sys.argv[1:])
