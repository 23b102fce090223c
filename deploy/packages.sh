#!/bin/sh
# Installs the named Debian packages as root, and sees to it that none of their services is started or left enabled.
# The policy file that forbids starting is ours only for as long as this runs; one that was there before is kept.
set -eu
policy=/usr/sbin/policy-rc.d
mark="# written by the set-up of Ophør for the time of one installation"

remove_policy() { if [ -f "$policy" ] && grep -qF "$mark" "$policy"; then rm -f "$policy"; fi; }
trap remove_policy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
    chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
wait_for_lock="-o DPkg::Lock::Timeout=120"
apt-get $wait_for_lock update -qq || echo "setup: the package lists could not be refreshed; trying with those that are here" >&2
apt-get $wait_for_lock install -y -qq --no-install-recommends "$@" >&2

if command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ]; then
    for package in "$@"; do
        case "$package" in rabbitmq-server | postgresql) systemctl disable --quiet "$package" 2>/dev/null || true ;; esac
    done
fi
