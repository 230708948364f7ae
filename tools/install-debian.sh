#!/usr/bin/env bash
# Installs what the browser tests need from Debian's packages: chromium.
# Does nothing where it is there already. Without root it says the one command to run.
#   tools/install-debian.sh [--quiet]
set -euo pipefail

packages=(chromium fonts-dejavu-core)
quiet=${1:-}

if command -v chromium >/dev/null 2>&1; then
  [ "$quiet" = --quiet ] || echo "chromium is installed: $(command -v chromium)"
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "The browser tests need chromium. On Debian: sudo apt-get install ${packages[*]}" >&2
  exit 1
fi
echo "Installing ${packages[*]} for the browser tests ..." >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null
apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
