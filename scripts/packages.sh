#!/bin/sh
# Installs the programs that the tests need beside Python's packages, where it may; else ends with the line to type.
# Nothing is skipped for want of a program: packages.sh VENV [tests] [browser] [long]
venv=${1:-.venv}
shift
PATH=$PATH:/usr/sbin

has() { command -v "$1" >/dev/null; }
has_browser() {
    for name in "${BROWSER_BIN:-}" chromium chromium-browser google-chrome google-chrome-stable; do
        [ -n "$name" ] && has "$name" && return
    done
    cache=${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}
    ls "$cache"/chromium*/chrome*/*headless* "$cache"/chromium-*/chrome-linux*/chrome >/dev/null 2>&1
}
# Playwright brings its own node, which needs libatomic
has_driver() { "$venv/bin/playwright" --version >/dev/null 2>&1; }
wanted() {
    missing=
    for group in "$@"; do
        case $group in
        tests)
            has java || missing="$missing default-jre-headless"
            has age || missing="$missing age"
            has nginx || missing="$missing nginx-light"
            has caddy || missing="$missing caddy"
            has openssl || missing="$missing openssl"
            has cc || missing="$missing gcc libc6-dev"
            ;;
        browser)
            has_browser || missing="$missing chromium fonts-noto-core"
            has_driver || missing="$missing libatomic1"
            ;;
        long)
            has exim4 || missing="$missing exim4-daemon-light"
            has strace || missing="$missing strace"
            ;;
        esac
    done
    [ -n "$missing" ]
}

wanted "$@" || exit 0
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if has apt-get && $as_root true 2>/dev/null; then
    echo "Installing for the tests:$missing"
    log=$(mktemp)
    # --no-remove: a machine that has another mail server keeps it, and we say so
    { $as_root apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends --no-remove $missing; } >"$log" 2>&1 ||
        tail -5 "$log" >&2
    case $missing in # the tests start one of their own
    *nginx* | *caddy*) [ -d /run/systemd/system ] && $as_root systemctl disable -q --now nginx caddy 2>/dev/null ;;
    esac
    rm -f "$log"
    wanted "$@" || exit 0
fi
echo "The tests need more programs. On Debian type:  sudo apt-get install --no-install-recommends$missing" >&2
exit 1
