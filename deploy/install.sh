#!/bin/sh
# Installs Petitions on Debian 12 or newer from the checkout in /srv/petitions: packages, account, folders, settings, service and
# web server. Safe to repeat, also after an update: it never changes a file that exists, except those of the program itself.
# docs/install.md explains each step.
set -eu
umask 022 # the server has an account of its own and must read the program

usage() {
    cat >&2 <<'TEXT'
Usage: sh deploy/install.sh --host NAME --mail URL --from SENDER [--web nginx|caddy] [--database sqlite|postgres] [--certificate ADDRESS]

  --host NAME            the name visitors type, such as sign.example.org
  --mail URL             the mail relay: 'smtp://user:password@mail.example.org:587'; special characters in the password as %XX
  --from SENDER          the sender of every e-mail: 'Section <sign@example.org>'
  --web nginx            (the default) or caddy
  --database sqlite      (the default) or postgres, on this machine
  --certificate ADDRESS  with nginx: gets a certificate from Let's Encrypt, who writes to ADDRESS before it ends. With it you accept
                         their terms. Caddy gets its certificate without being told.
TEXT
    exit 2
}

host='' mail='' from='' web=nginx database=sqlite certificate=''
while [ $# -gt 0 ]; do
    [ $# -ge 2 ] || usage
    case $1 in
    --host) host=$2 ;;
    --mail) mail=$2 ;;
    --from) from=$2 ;;
    --web) web=$2 ;;
    --database) database=$2 ;;
    --certificate) certificate=$2 ;;
    *) usage ;;
    esac
    shift 2
done

# DESTDIR=FOLDER writes the files below FOLDER and does nothing else: for looking at them first, and for the tests.
root=${DESTDIR:-}
home=/srv/petitions
settings=$root/etc/petitions.env
source=$(cd "$(dirname "$0")/.." && pwd)

say() { echo "- $*"; }
stop() {
    echo "$*" >&2
    exit 1
}
has_systemd() { [ -d /run/systemd/system ]; }

# put FILE MODE: writes standard input to FILE, unless FILE exists
put() {
    if [ -e "$root$1" ]; then
        cat >/dev/null
        say "kept $1"
        return
    fi
    mkdir -p "$(dirname "$root$1")"
    (umask 077 && cat >"$root$1")
    chmod "$2" "$root$1"
    say "wrote $1"
}

check() {
    case $web in nginx | caddy) ;; *) usage ;; esac
    case $database in sqlite | postgres) ;; *) usage ;; esac
    if [ ! -e "$settings" ]; then
        case ,$host,$mail,$from, in *,,*) usage ;; esac
    fi
    [ -n "$host" ] || host=$(sed -n 's|^PETITIONS_BASE_URL="*https://\([^/"]*\).*|\1|p' "$settings")
    case $host in *[!a-z0-9.-]* | '' | .* | -*) stop "--host is a name such as sign.example.org, without https:// and in small letters, not '$host'" ;; esac
    case $mail$from in *[\"\$\`\\]*) stop "--mail and --from cannot contain \" \$ \` \\ : write them in the password as %22 %24 %60 %5C" ;; esac
    [ -n "$root" ] && return
    [ "$(id -u)" = 0 ] || stop "This needs root: sudo sh deploy/install.sh …"
    [ "$source" = "$home" ] || stop "The checkout must be in $home, not in $source: sudo git clone ADDRESS $home"
    command -v apt-get >/dev/null || stop "This needs Debian 12 or newer: there is no apt-get"
}

install_packages() {
    packages="make python3-venv openssl"
    [ "$database" = sqlite ] || packages="$packages postgresql"
    had_web=$(command -v "/usr/sbin/$web" "/usr/bin/$web" || true)
    if [ "$web" = nginx ]; then packages="$packages nginx-light"; else packages="$packages caddy"; fi
    [ -z "$certificate" ] || packages="$packages certbot"
    say "installing $packages"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -y -qq --no-install-recommends $packages >/dev/null
    [ -n "$had_web" ] || rm -f /etc/nginx/sites-enabled/default /etc/caddy/Caddyfile # the packages' example pages
}

make_account() {
    id petitions >/dev/null 2>&1 || useradd --system --user-group --home-dir "$home/instance" --no-create-home --shell /usr/sbin/nologin petitions
    mkdir -p "$home/instance" /var/backups/petitions
    chown -R petitions: "$home/instance" /var/backups/petitions
    chmod 700 "$home/instance" /var/backups/petitions
    if [ "$database" = postgres ]; then
        has_systemd || service postgresql start >/dev/null
        (cd / && runuser -u postgres -- psql -qtAc "SELECT 1 FROM pg_roles WHERE rolname = 'petitions'" | grep -q 1) ||
            (cd / && runuser -u postgres -- createuser petitions)
        (cd / && runuser -u postgres -- psql -qtAc "SELECT 1 FROM pg_database WHERE datname = 'petitions'" | grep -q 1) ||
            (cd / && runuser -u postgres -- createdb -O petitions petitions)
        (cd / && runuser -u postgres -- psql -qc "GRANT pg_checkpoint TO petitions" -c "ALTER SYSTEM SET wal_recycle = off" -c "SELECT pg_reload_conf()" >/dev/null)
    fi
}

write_settings() {
    {
        echo "# The settings of this server: docs/settings.md explains all of them. After a change: systemctl restart petitions"
        echo "PETITIONS_DEMO=0"
        echo "PETITIONS_BASE_URL=\"https://$host\""
        echo "PETITIONS_PROXY_HOPS=1"
        echo "PETITIONS_MAIL_URL=\"$mail\""
        echo "PETITIONS_MAIL_FROM=\"$from\""
        echo "PETITIONS_BACKUPS=/var/backups/petitions"
        echo "#PETITIONS_BACKUPS_COPY=\"rclone copy {} other-place:petitions\""
        if [ "$database" = postgres ]; then echo 'PETITIONS_DATABASE_URL="postgresql:///petitions?host=/run/postgresql"'; fi
    } | put /etc/petitions.env 600
    put /usr/local/sbin/petitions 755 <<'TEXT'
#!/bin/sh
# `petitions COMMAND` runs `flask COMMAND` with the server's settings, as the server's account: petitions doctor
set -a
. /etc/petitions.env || exit 1
set +a
umask 077
cd /srv/petitions && exec setpriv --reuid petitions --regid petitions --init-groups .venv/bin/flask "$@"
TEXT
    put /etc/systemd/system/petitions.service 644 <"$source/deploy/petitions.service"
}

write_web_server() {
    if [ "$web" = caddy ]; then
        sed "s/sign\.example\.org/$host/g" "$source/deploy/Caddyfile" | put /etc/caddy/Caddyfile 644
        return
    fi
    # One server on this machine: without the second one of the shipped file
    sed -e "s/sign\.example\.org/$host/g" -e '/127\.0\.0\.1:8001/d' "$source/deploy/nginx.conf" | put /etc/nginx/conf.d/petitions.conf 644
    put /etc/letsencrypt/renewal-hooks/deploy/petitions 755 <<TEXT
#!/bin/sh
# certbot runs this when there is a new certificate
[ "\$RENEWED_LINEAGE" = /etc/letsencrypt/live/$host ] || exit 0
install -m 600 "\$RENEWED_LINEAGE/fullchain.pem" "\$RENEWED_LINEAGE/privkey.pem" /etc/ssl/petitions/
nginx -t -q && nginx -s reload
TEXT
    mkdir -p "$root/etc/ssl/petitions" "$root/var/lib/petitions-certificate"
    [ -e "$root/etc/ssl/petitions/fullchain.pem" ] && return
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 30 -subj "/CN=$host" \
        -keyout "$root/etc/ssl/petitions/privkey.pem" -out "$root/etc/ssl/petitions/fullchain.pem" 2>/dev/null
    chmod 600 "$root/etc/ssl/petitions/privkey.pem"
    say "made a certificate for the start; browsers warn of it until there is a real one"
}

start() {
    if ! has_systemd; then
        say "systemd does not run here: start the program (petitions setup, then gunicorn app:app) and $web yourself"
        return
    fi
    systemctl daemon-reload
    systemctl enable -q petitions "$web"
    systemctl restart petitions
    systemctl reload-or-restart "$web"
    if [ "$web" = nginx ] && [ -n "$certificate" ]; then
        certbot certonly -q --non-interactive --agree-tos -m "$certificate" --webroot -w /var/lib/petitions-certificate -d "$host" ||
            stop "There is no certificate yet (see above): does $host lead to this machine? Then run this again"
    fi
}

check
if [ -z "$root" ]; then
    install_packages
    say "installing the program"
    make -s -C "$home" install
    make_account
fi
write_settings
write_web_server
if [ -z "$root" ]; then
    start
    say "what is left to do, by \`petitions doctor\`:"
    petitions doctor || true
fi
