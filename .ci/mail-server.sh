#!/bin/sh
# Finds a mail server for the long tests, or installs one. Never skips: without one it fails and says why.
PATH=$PATH:/usr/sbin
command -v exim4 >/dev/null && exit 0
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
    echo "Installing exim4-daemon-light for the mail test"
    $as_root apt-get update -qq
    # --no-remove: a machine that has another mail server keeps it, and we say so
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends --no-remove exim4-daemon-light >/dev/null 2>&1
fi
command -v exim4 >/dev/null && exit 0
echo "No mail server for the tests: install exim4-daemon-light" >&2
exit 1
