#!/bin/sh
# Finds what the long tests need beside Python, or installs it. Never skips: what is missing fails and says so.
PATH=$PATH:/usr/sbin
as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"
status=0
need() { # PROGRAM PACKAGE
    command -v "$1" >/dev/null && return
    if command -v apt-get >/dev/null && $as_root true 2>/dev/null; then
        echo "Installing $2 for the long tests"
        $as_root apt-get update -qq
        # --no-remove: a machine that has another mail server keeps it, and we say so
        DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends --no-remove "$2" >/dev/null 2>&1
    fi
    command -v "$1" >/dev/null && return
    echo "Missing for the long tests: install $2" >&2
    status=1
}
need exim4 exim4-daemon-light
need nginx nginx-light
need strace strace
exit $status
