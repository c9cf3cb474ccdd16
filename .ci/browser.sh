#!/bin/sh
# Finds a Chromium for the browser tests, or installs one. Never skips: without a browser it fails and says why.
venv=${1:-.venv}
have_browser() {
    for name in "${BROWSER_BIN:-}" chromium chromium-browser google-chrome google-chrome-stable; do
        [ -n "$name" ] && command -v "$name" >/dev/null && return 0
    done
    cache=${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}
    ls "$cache"/chromium*/chrome*/*headless* "$cache"/chromium-*/chrome-linux*/chrome >/dev/null 2>&1
}
have_driver() { "$venv/bin/playwright" --version >/dev/null 2>&1; }
have_browser && have_driver && exit 0
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
    echo "Installing Chromium for the browser tests"
    $as_root apt-get update -qq
    # libatomic1: the driver's own node needs it, and a bare Debian lacks it
    wanted="libatomic1 fonts-noto-core"
    have_browser || wanted="$wanted chromium"
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $wanted >/dev/null 2>&1
fi
have_browser || "$venv/bin/playwright" install --with-deps chromium
have_browser && have_driver && exit 0
echo "No browser for the tests: install chromium and libatomic1, or set BROWSER_BIN" >&2
exit 1
