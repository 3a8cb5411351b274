"""A page as a browser shows it, by Debian's headless Chromium."""

import html
import json
import re
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from himari.stack.errors import MachineError

BROWSER = "chromium-headless-shell"
SECONDS = 120
HEIGHT = 900
# Neither the sandbox nor shared memory can be counted on for root in a container; the page is our own.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--allow-file-access-from-files",
)
FRAME = """<!doctype html><body style="margin:0">
<iframe src="{uri}" style="border:0;width:{width}px;height:{height}px"></iframe>
<script>onload = () => {{
  const root = frames[0].document.documentElement
  const ends = [...root.querySelectorAll("*")].map(part => Math.round(part.getBoundingClientRect().right))
  document.title = JSON.stringify({{height: root.scrollHeight, width: Math.max(root.scrollWidth, ...ends)}})
}}</script>"""

FOLLOW = """<!doctype html><body style="margin:0">
<iframe style="border:0;width:{width}px;height:{height}px"></iframe>
<script>
const frame = document.querySelector("iframe")
frame.onload = () => {{
  frame.onload = () => {{
    const shown = frame.contentDocument.querySelector(":target")
    const at = shown && shown.getBoundingClientRect()
    document.title = JSON.stringify(shown && at.bottom > 0 && at.top < {height} ? shown.textContent : "")
  }}
  frame.contentDocument.querySelector({selector}).click()
}}
frame.src = {uri}
</script>"""


def measure(page: Path, width: int) -> tuple[int, int]:
    """How wide and high `page` becomes in a window of `width`, in CSS pixels; what is cut off on
    the right counts, so wider than the window is an overflow."""
    with TemporaryDirectory() as folder:
        frame = Path(folder) / "frame.html"
        frame.write_text(FRAME.format(uri=page.resolve().as_uri(), width=width, height=HEIGHT))
        # A window of a browser has a least width, a frame has none.
        dom = _run(frame, "--dump-dom", f"--window-size=1600,{HEIGHT}")
    found = re.search(r'<title>\{"height":(\d+),"width":(\d+)\}</title>', dom)
    if not found:
        raise MachineError(f"{BROWSER} did not show {page}", "", "its height and width", "is it a page?")
    return int(found[2]), int(found[1])


def follow(page: Path, link: str, width: int) -> str:
    """The text of the part that is in sight, in a window of `width`, once `link` on `page` was followed; "" for none.

    `link` leads from that page to a part of another one. Raises MachineError when it is not there."""
    with TemporaryDirectory() as folder:
        frame = Path(folder) / "frame.html"
        selector, uri = json.dumps(f'a[href="{link}"]'), json.dumps(page.resolve().as_uri())
        frame.write_text(FOLLOW.format(selector=selector, uri=uri, width=width, height=HEIGHT))
        dom = _run(frame, "--dump-dom", f"--window-size=1600,{HEIGHT}")
    found = re.search(r"<title>(.*)</title>", dom, re.DOTALL)
    if not found:
        raise MachineError(f"{BROWSER} followed no link {link} on {page}", "", "a page behind it", "is it there?")
    return str(json.loads(html.unescape(found[1])))


def photograph(page: Path, picture: Path, *, width: int, height: int = HEIGHT, dark: bool = False) -> None:
    """Write what `page` looks like to `picture`, a PNG. Raises MachineError when there is no browser, or it fails."""
    dressed = ("--blink-settings=preferredColorScheme=0",) if dark else ()
    _run(page, f"--screenshot={picture.resolve()}", f"--window-size={width},{height}", *dressed)


def _run(page: Path, *flags: str) -> str:
    with TemporaryDirectory() as profile:
        argv = (
            BROWSER,
            *FLAGS,
            f"--user-data-dir={profile}",
            "--virtual-time-budget=5000",
            *flags,
            page.resolve().as_uri(),
        )
        try:
            done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise MachineError(f"{BROWSER}: {error}", "", "a headless browser", "make setup installs it") from None
    if done.returncode:
        raise MachineError(f"{BROWSER} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout
