#!/usr/bin/env bash
# Installs what tests need from Debian's packages: chromium (browser), PostgreSQL (gradebook) and
# bubblewrap, which student code is locked up by.
# Does nothing where they are there already. Without root it says the one command to run.
#   tools/install-debian.sh [--quiet]
set -euo pipefail

packages=(chromium fonts-dejavu-core postgresql bubblewrap)
quiet=${1:-}

have_postgresql() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

have() { command -v "$1" >/dev/null 2>&1; }

if have chromium && have bwrap && have_postgresql; then
  [ "$quiet" = --quiet ] || echo "chromium, bubblewrap and PostgreSQL are installed"
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Some tests need chromium, bubblewrap and PostgreSQL. On Debian: sudo apt-get install ${packages[*]}" >&2
  exit 1
fi
echo "Installing ${packages[*]} for the tests ..." >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null
apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
