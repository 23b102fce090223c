#!/bin/sh
# Installs the named Debian packages as root, and sees to it that none of their services is started or left enabled.
# The policy file that forbids starting is ours only for as long as this runs; one that was there before is kept.
# What apt-get and the packages say is shown only when something went wrong.
set -eu
policy=/usr/sbin/policy-rc.d
mark="# written by the set-up of Ophør for the time of one installation"
said=$(mktemp)

tidy() {
    rm -f "$said"
    if [ -f "$policy" ] && grep -qF "$mark" "$policy"; then rm -f "$policy"; fi
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
    chmod 755 "$policy"
fi

apt() { apt-get -qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" >>"$said" 2>&1 </dev/null; }
show() { tail -n 25 "$said" | sed 's/^/  | /' >&2; }

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
apt update || true # the lists that are here may do
if ! apt install -y --no-install-recommends "$@"; then
    show
    exit 1
fi

if command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ]; then
    for package in "$@"; do
        case "$package" in
            rabbitmq-server | postgresql) systemctl disable --quiet "$package" 2>/dev/null || true ;;
            mariadb-server) systemctl disable --quiet mariadb 2>/dev/null || true ;;
        esac
    done
fi
