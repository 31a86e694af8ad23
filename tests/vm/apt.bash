# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced: asks apt about one Debian suite in a private state, so that nothing on this machine changes. The mirrors are those of
# the machine's own apt configuration, signatures are checked against Debian's keyring.
#
#   apt_open SUITE FOLDER    suite and where the private state lives; false when apt does not answer
#   apt_ask PROGRAM ...      apt-get or apt-cache with that state

apt_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

say() { echo "${0##*/}: $*" >&2; }

apt_ask() {
  local program=$1
  shift
  "$program" -c "$apt_state/apt.conf" "$@"
}

own_suite() { (. /etc/os-release && echo "${VERSION_CODENAME:-}"); }

# apt tells its sources itself, so one-line and deb822 files are alike. Of all Debian suites of the running
# release (NAME, NAME-updates, NAME-security) the same mirror is asked for the wanted one.
apt_write_sources() {
  local own
  own=$(own_suite)
  [ -n "$own" ] || { say "/etc/os-release names no Debian suite"; return 1; }
  apt-get update --print-uris 2> /dev/null |
    sed -nE "s#^'([^']+)/dists/$own(-security|-updates)?/InRelease' .*#deb [signed-by=$apt_keyring] \1 $apt_suite\2 main#p" |
    sort -u > "$apt_state/sources.new"
  grep -q " $apt_suite main$" "$apt_state/sources.new" || { say "apt has no source of $own to take the mirror from"; return 1; }
  mv "$apt_state/sources.new" "$apt_state/sources.list"
}

# An empty package status: apt answers for the suite, not for what is installed here.
apt_write_options() {
  mkdir -p "$apt_state/lists/partial" "$apt_state/archives/partial"
  : > "$apt_state/status"
  cat > "$apt_state/apt.conf" << CONF
#clear APT::Update::Post-Invoke-Success;
#clear APT::Update::Post-Invoke;
#clear DPkg::Post-Invoke;
Dir::Etc::sourcelist "$apt_state/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$apt_state/lists";
Dir::State::status "$apt_state/status";
Dir::Cache "$apt_state";
Acquire::Retries "2";
APT::Sandbox::User "root";
CONF
}

# A suite that left the mirror must not hide the others: the main one is required, the rest is a bonus.
apt_update() {
  if [ -e "$apt_state/updated" ] && [ -n "$(find "$apt_state/updated" -newermt '1 day ago')" ]; then
    return 0
  fi
  if ! apt_ask apt-get update -qq > "$apt_state/update.log" 2>&1; then
    grep " $apt_suite main$" "$apt_state/sources.list" > "$apt_state/sources.new"
    mv "$apt_state/sources.new" "$apt_state/sources.list"
    apt_ask apt-get update -qq >> "$apt_state/update.log" 2>&1 || return 1
  fi
  touch "$apt_state/updated"
}

apt_open() {
  apt_suite=$1
  apt_state=$2
  mkdir -p "$apt_state"
  apt_write_sources && apt_write_options && apt_update
}

# What apt complained about last, for an error message.
apt_complaint() { tail -n 1 "$apt_state/update.log" 2> /dev/null || true; }
