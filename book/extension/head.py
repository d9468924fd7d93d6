"""What a page says of itself in <head>: what it may load, its description, and its card for those who share it."""

import html
import re
from base64 import b64encode
from hashlib import sha256
from urllib.parse import urljoin

from docutils import nodes
from sphinx.locale import _

from .toggle import LANGUAGES, OTHER

LENGTH = 160  # characters of a description; search engines show no more

# What a page may do: default-src covers all that is not named, so that nothing is fetched, framed or sent anywhere.
# On a page opened as a file, 'self' matches nothing and `file:` takes its place; no source is on another machine.
POLICY = {
    "default-src": "'none'",
    "script-src": "'self' file: blob: {hashes}",  # blob: widgets are modules made of the text of the page
    "style-src": "'self' file: 'unsafe-inline'",  # MathJax, the theme and widgets set style sheets and attributes
    "img-src": "'self' file: data: blob:",
    "font-src": "'self' file: data:",
    "form-action": "'self' file:",  # the search field; this and base-uri are not covered by default-src
    "base-uri": "'none'",
}
INLINE_SCRIPT = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
CHARSET = re.compile(r'(<meta charset="utf-8"(?: /)?>)(\s*<meta http-equiv="Content-Security-Policy"[^>]*>)?')


def protect(page):
    """The finished page with its Content-Security-Policy, which refuses every inline script but those it has now.

    Must come last: the policy holds SHA-256 hashes of the scripts, so that no byte of theirs may change any more.
    """
    hashes = {f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts(page)}
    policy = "; ".join(f"{name} {sources}" for name, sources in POLICY.items()).format(hashes=" ".join(sorted(hashes)))
    tag = f'\n    <meta http-equiv="Content-Security-Policy" content="{policy}">'
    return CHARSET.sub(lambda charset: charset[1] + tag, page, count=1)  # in place of one that it has


def scripts(page):
    """The text of each inline script that a browser would run: what has another type, as a widget's state, is data."""
    return [script[1] for script in INLINE_SCRIPT.finditer(page) if " type=" not in script[0].partition(">")[0]]


def describe(doctree):
    """The first paragraph of a page as plain text, shortened to whole sentences, or else words; "" without one."""
    for paragraph in doctree.findall(nodes.paragraph):
        texts = [text for text in paragraph.findall(nodes.Text) if not isinstance(text.parent, nodes.math | nodes.raw)]
        if plain := " ".join("".join(texts).split()):
            return shorten(plain)
    return ""


def shorten(text):
    """At most LENGTH characters of `text`, cut after a sentence if there is one that short, or else before a word."""
    if len(text) <= LENGTH:
        return text
    sentences = re.match(rf".{{{LENGTH // 2},{LENGTH - 1}}}(?:[。！？]|[.!?](?=\s))", text)  # noqa: RUF001
    words = re.match(rf".{{,{LENGTH - 1}}}(?:(?=\s)|(?<=[一-鿿]))", text)
    return sentences[0] if sentences else words[0] + "…"


def metadata(context, doctree, book, here, other):
    """A page's description and Open Graph tags, and its full title, as entries of a Sphinx page context.

    `book` describes the whole book, for pages that nobody has written; `here` and `other` are the languages' locales.
    Tags that need an address (og:url, og:image) are there when the configuration has one.
    """
    site, url = context["docstitle"], context.get("pageurl")
    title = html.unescape(re.sub("<[^>]+>", "", context.get("title") or _("Search")))
    description = (doctree and describe(doctree)) or book or site
    card = {
        "title": title,
        "description": description,
        "type": "article" if doctree and context["pagename"] != context["root_doc"] else "website",
        "site_name": site,
        "locale": here,
        "locale:alternate": other,
    }
    if url:
        card["url"] = url
        if image := doctree and next(doctree.findall(nodes.image), None):
            card["image"] = urljoin(url, image["uri"])
    tags = [("name", "description", description), *(("property", f"og:{name}", value) for name, value in card.items())]
    lines = (f'<meta {kind}="{name}" content="{html.escape(value)}">' for kind, name, value in tags)
    return {
        "metatags": "\n    ".join([context.get("metatags", ""), *lines]),
        "full_title": site if title.casefold() == site.casefold() else f"{title} — {site}",
    }


def add_head(app, pagename, templatename, context, doctree):
    """Give the page a title, a description and a card."""
    index = app.env.get_and_resolve_doctree(app.config.root_doc, app.builder) if doctree is None else None
    here, other = LANGUAGES[app.config.language]["locale"], OTHER[app.config.language]["locale"]
    context.update(metadata(context, doctree, index and describe(index), here, other))


def setup(app):
    app.connect("html-page-context", add_head)
