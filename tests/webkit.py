"""WebKitGTK, which Playwright does not drive: as much of Playwright's interface as the live tests use, over WebDriver.

What WebDriver has no command for skips the test. WebKitGTK has the engine of Safari, but is not Safari.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

START = 30  # seconds within which a program must have started
LOST = "WebKitGTK's driver has lost the page, as it may on a busy machine; the other engines tell about the page"
CRASHED = "page crash or hang", "Could not parse script result"  # what the driver says of a page that is gone
ANSWER = 150  # seconds within which a command must have been answered: more than what tests wait for
KEYS = {"Enter": "\ue007", "End": "\ue010", "Home": "\ue011", "PageUp": "\ue00e", "PageDown": "\ue00f",
        "ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015"}  # fmt: skip
ARGUMENTS = [
    "--automation",
    "--javascript-can-open-windows-automatically=true",  # see Page.goto
    "--proxy=http://127.0.0.1:9",  # where nobody listens: there is no other host than this
    "--ignore-host=127.0.0.1",
]
# A page's complaints: errors, what it tells the console, and what its policy has refused, before this ran too.
# A page made for a test may hold this itself, as a short one may have loaded before WebDriver runs it.
WATCH = """if (!window.complaints) {
  window.complaints = [];
  addEventListener("error", ({ message }) => message && complaints.push(message));
  addEventListener("unhandledrejection", ({ reason }) => complaints.push(String(reason)));
  new ReportingObserver((reports) => {
    complaints.push(...reports.map(({ type, body }) => `${type} ${JSON.stringify(body)}`));
  }, { buffered: true }).observe();
  const { error } = console;
  console.error = (...parts) => { complaints.push(parts.map(String).join(" ")); error.apply(console, parts); };
}"""
# The elements that a locator's steps lead to.
FIND = """const find = (steps) => steps.reduce((found, [how, what, name, exact]) => {
  if (how === "nth") return found.slice(what).slice(0, 1);
  const all = (css) => [...new Set(found.flatMap((root) => [...root.querySelectorAll(css)]))];
  const text = (element) => element?.textContent.trim();
  const labelled = (element) => element.ariaLabel ?? text(element.labels?.[0]) ?? text(element);
  const named = (elements) => elements.filter((element) => {
    return exact ? labelled(element) === name : labelled(element).toLowerCase().includes(name.toLowerCase());
  });
  switch (how) {
    case "css": return all(what.replace(/^>/, ":scope >"));
    case "role": return named(all(`${what}, [role=${what}]`.replace("progressbar,", "progress,")));
    case "label": return named(all("input"));
    case "text": return all("*").filter((e) => [...e.childNodes].some((n) => n.data?.includes(what)));
  }
}, [document]);
const given = (arg) => Array.isArray(arg) ? arg.map(given) : arg?.steps ? find(arg.steps)[0] : arg;
"""
VISIBLE = "(e) => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().width > 0"


class Failed(Exception):
    """What a page's script threw, or the driver reports."""


class Browser:
    """A session of WebKitWebDriver."""

    def __init__(self, address):
        self.address, self.lost = address, False
        options = {"binary": str(_program()), "args": ARGUMENTS}
        self.session = self.ask("POST", "/session", capabilities={
            "alwaysMatch": {"webkitgtk:browserOptions": options, "pageLoadStrategy": "none",
                            "timeouts": {"script": 1000 * ANSWER}}
        })["sessionId"]  # fmt: skip
        self.first = self.at = self("GET", "/window")

    def ask(self, method, path, **body):
        if self.lost:
            pytest.skip(LOST)
        data = json.dumps(body).encode() if method == "POST" else None
        request = Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urlopen(request, timeout=ANSWER) as answer:
                return json.load(answer)["value"]
        except HTTPError as error:
            said = json.load(error)["value"]["message"]
            self.lost = any(sign in said for sign in CRASHED)
            raise (pytest.skip.Exception(LOST) if self.lost else Failed(f"{path}: {said}")) from None

    def __call__(self, method, path, window=None, **body):
        """Ask for `path` of the session, in this window."""
        if window and window != self.at:
            self.ask("POST", f"/session/{self.session}/window", handle=window)
            self.at = window
        return self.ask(method, f"/session/{self.session}{path}", **body)

    def new_context(self, viewport, **options):  # what a page cannot have shows when a test looks for it
        return Context(self, viewport)


class Context:
    def __init__(self, browser, viewport):
        self.browser, self.viewport, self.timeout, self.pages = browser, viewport, 30, []

    def set_default_timeout(self, milliseconds):
        self.timeout = milliseconds / 1000

    def new_page(self):
        self.pages.append(Page(self))
        return self.pages[-1]

    def close(self):
        for page in self.pages:
            page.close()


class Page:
    def __init__(self, context):
        self.context, self.driver, self.window = context, context.browser, None
        self.size, self.scripts, self.told = context.viewport, WATCH, []
        self.mouse = Mouse(self)

    def goto(self, url, wait_until="load"):
        """Open the page in a window of its own: one that a script opens has no tool bar and may be narrow.

        WebDriver runs no script before a page's own; so its complaints are listened to as soon as it begins to load.
        """
        self.close()
        known = self.driver("GET", "/window/handles", self.driver.first)
        self.driver("POST", "/execute/sync", self.driver.first, script="open('', '', 'popup')", args=[])
        (self.window,) = {*self.driver("GET", "/window/handles")} - {*known}
        self.set_viewport_size(self.size)
        self.driver("POST", "/url", self.window, url=url)
        begun = f"if (location.href === 'about:blank' && {json.dumps(url)} !== location.href) return false;"

        def listening():
            with suppress(Failed):  # the page before it was left meanwhile
                return self.run(f"{begun} {self.scripts} return true;")

        self.wait(listening, f"{url} does not begin to load")
        self.wait_for_function("document.readyState === 'complete'")

    def close(self):
        if self.window and not self.driver.lost:
            self.driver("DELETE", "/window", self.window)
            self.driver.at = self.window = None

    def add_init_script(self, script):
        self.scripts += f"\n{script}"

    def route(self, pattern, handler):
        if pattern != "**/*":  # the proxy and the pages' policy see to that
            pytest.skip("WebDriver cannot hold requests")

    def on(self, event, handler):
        if event == "console":
            self.told.append(handler)

    def run(self, body, *args):
        """What a function of this body returns or resolves to; complaints are passed on."""
        script = f"""const done = arguments[arguments.length - 1], args = [...arguments].slice(0, -1);
          const run = async () => {{ {FIND} {body} }};
          const told = () => (window.complaints ?? []).splice(0);
          run().then((value) => done([value, null, told()]), (error) => done([null, String(error), told()]));
        """
        value, error, complaints = self.driver("POST", "/execute/async", self.window, script=script, args=args)
        for text in complaints:
            for handler in self.told:
                handler(SimpleNamespace(type="error", text=text))
        if error:
            raise Failed(error)
        return value

    def evaluate(self, script, arg=None):
        return self.run(f"const f = {script.strip()}; return typeof f === 'function' ? f(given(args[0])) : f;", arg)

    def wait_for_function(self, script, arg=None):
        self.wait(lambda: self.evaluate(script, arg), script)

    def wait(self, condition, what):
        deadline = time.monotonic() + self.context.timeout
        while not (met := condition()):
            if time.monotonic() > deadline:
                raise TimeoutError(what)
            time.sleep(0.02)
        return met

    def wait_for_timeout(self, milliseconds):
        time.sleep(milliseconds / 1000)
        self.evaluate("null")

    def set_viewport_size(self, size):
        self.size = size
        if self.window:
            self.driver("POST", "/window/rect", self.window, **size)
            self.wait_for_function("([w, h]) => innerWidth === w && innerHeight === h", [*size.values()])

    def emulate_media(self, **media):
        """Nothing: tests look whether a page has noticed."""

    def act(self, kind, *actions):
        source = {"type": kind, "id": kind, "actions": list(actions)}
        self.driver("POST", "/actions", self.window, actions=[source])

    def press(self, key):
        value = KEYS.get(key, key)
        self.act("key", {"type": "keyDown", "value": value}, {"type": "keyUp", "value": value})

    def locator(self, css):
        return Locator(self, [["css", css]])

    def get_by_role(self, role, name, exact=False):
        return Locator(self, [["role", role, name, exact]])

    def get_by_label(self, name, exact=False):
        return Locator(self, [["label", "", name, exact]])

    def get_by_text(self, text):
        return Locator(self, [["text", text]])


class Mouse:
    def __init__(self, page):
        self.page, self.x, self.y = page, 0, 0

    def move(self, x, y, steps=1):
        way = [(self.x + (x - self.x) * i / steps, self.y + (y - self.y) * i / steps) for i in range(1, steps + 1)]
        self.page.act("pointer", *({"type": "pointerMove", "x": round(a), "y": round(b)} for a, b in way))
        self.x, self.y = x, y

    def down(self):
        self.page.act("pointer", {"type": "pointerDown", "button": 0})

    def up(self):
        self.page.act("pointer", {"type": "pointerUp", "button": 0})


class Locator:
    def __init__(self, page, steps):
        self.page, self.steps = page, steps

    def locator(self, css):
        return Locator(self.page, [*self.steps, ["css", css]])

    def nth(self, index):
        return Locator(self.page, [*self.steps, ["nth", index]])

    first = property(lambda self: self.nth(0))
    last = property(lambda self: self.nth(-1))

    def all(self):
        return [self.nth(i) for i in range(self.count())]

    def evaluate_all(self, script, arg=None):
        return self.page.run(f"return ({script})(find(args[0]), args[1]);", self.steps, arg)

    def evaluate(self, script, arg=None):
        """Of the first element, once there is one."""
        self.page.wait(self.count, f"{self.steps} is not there")
        return self.page.run(f"return ({script})(find(args[0])[0], args[1]);", self.steps, arg)

    def count(self):
        return self.evaluate_all("(all) => all.length")

    def all_text_contents(self):
        return self.evaluate_all("(all) => all.map((e) => e.textContent)")

    def text_content(self):
        return self.evaluate("(e) => e.textContent")

    def get_attribute(self, name):
        return self.evaluate("(e, name) => e.getAttribute(name)", name)

    def input_value(self):
        return self.evaluate("(e) => e.value")

    def element_handle(self):
        return {"steps": self.steps}

    def bounding_box(self):
        return self.evaluate("(e) => { const { x, y, width, height } = e.getBoundingClientRect();"
                             " return { x, y, width, height }; }")  # fmt: skip

    def is_visible(self):
        return self.evaluate_all(f"(all) => all.length > 0 && ({VISIBLE})(all[0])")

    def is_checked(self):
        return self.evaluate("(e) => e.checked")

    def is_disabled(self):
        return self.evaluate("(e) => e.disabled")

    def is_enabled(self):
        return not self.is_disabled()

    def wait_for(self, state="visible"):
        reached = {"visible": self.is_visible, "attached": self.count, "detached": lambda: not self.count()}[state]
        self.page.wait(reached, f"{self.steps} is not {state}")

    def scroll_into_view_if_needed(self):
        self.evaluate("(e) => e.scrollIntoView({ block: 'center', behavior: 'instant' })")

    def focus(self):
        self.evaluate("(e) => e.focus()")

    def dispatch_event(self, name):
        self.evaluate("(e, name) => e.dispatchEvent(new Event(name, { bubbles: true }))", name)

    def press(self, key):
        self.focus()
        self.page.press(key)

    def click(self, position=None, force=False):
        self.wait_for()
        self.page.wait(self.is_enabled, f"{self.steps} is disabled")
        self.scroll_into_view_if_needed()
        box = self.bounding_box()
        at = position or {"x": box["width"] / 2, "y": box["height"] / 2}
        self.page.mouse.move(box["x"] + at["x"], box["y"] + at["y"])
        self.page.mouse.down()
        self.page.mouse.up()

    def check(self):
        if not self.is_checked():
            self.click()
            self.page.wait(self.is_checked, f"{self.steps} is not checked")


# -- The programs ------------------------------------------------------------------------------------------------------


def _program():
    """WebKitGTK's small browser, or None."""
    folders = ("lib/*", "lib64", "libexec")  # of Debian, SUSE and Fedora
    return max((p for lib in folders for p in Path("/usr").glob(f"{lib}/webkit2gtk-4.*/MiniBrowser")), default=None)


def installed():
    return bool(_program() and shutil.which("WebKitWebDriver") and shutil.which("Xvfb"))


@contextmanager
def _started(command, **options):
    """A program with all that it starts, which end with it."""
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               **options)  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def _display():
    """The name of a screen that nobody sees."""
    reading, writing = os.pipe()
    with _started(["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1200x24"], pass_fds=[writing]):
        os.close(writing)
        with open(reading, encoding="ascii") as pipe:
            if not (number := pipe.readline().strip()):  # it has ended
                raise FileNotFoundError("Xvfb does not start")
        yield f":{number}"


@contextmanager
def launched():
    """WebKitGTK on a screen of its own. Raises FileNotFoundError if it does not start."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        (home / "gtk-3.0").mkdir()
        still = "[Settings]\ngtk-enable-animations=false\n"  # a page's reader wants less motion
        (home / "gtk-3.0" / "settings.ini").write_text(still, encoding="utf-8")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        environment = {**os.environ, "DISPLAY": stack.enter_context(_display()), "GDK_BACKEND": "x11",
                       "XDG_CONFIG_HOME": str(home)}  # fmt: skip
        stack.enter_context(_started(["WebKitWebDriver", f"--port={port}"], env=environment))
        deadline = time.monotonic() + START
        while True:
            try:
                browser = Browser(f"http://127.0.0.1:{port}")
                break
            except (URLError, Failed, ConnectionError) as error:
                if time.monotonic() > deadline:
                    raise FileNotFoundError(f"WebKitGTK does not start: {error}") from error
                time.sleep(0.1)
        yield browser
        if not browser.lost:
            with suppress(Failed, OSError):
                browser("DELETE", "")
