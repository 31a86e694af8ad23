#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Distributor: takes the guard down and removes the package. Configuration stays.
set -eu
if command -v dpkg > /dev/null && dpkg -s hostward > /dev/null 2>&1; then
  DEBIAN_FRONTEND=noninteractive apt-get remove -y -q -o DPkg::Lock::Timeout=300 hostward
elif command -v rpm > /dev/null && rpm -q hostward > /dev/null 2>&1; then
  dnf remove -y -q hostward
fi
