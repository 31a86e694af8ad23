#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages a job needs, and nothing when all are there.
# Usage: packaging/install-deps.sh build|package|demo|bench|test [more groups...]   (root)
set -euo pipefail

# What compiles the product: one line per package, why it is needed.
build_packages=(
  g++ cmake ninja-build pkg-config   # the product
  clang llvm                         # the BPF programs
  bpftool                            # skeletons from BPF objects
  libbpf-dev libelf-dev zlib1g-dev   # loader
  libspdlog-dev libtomlplusplus-dev  # log, policy file
  libfmt-dev                         # reports of checks
  nlohmann-json3-dev libcli11-dev    # --json, command line
  libsystemd-dev                     # sd-event, sd_notify
  libcap-dev                         # capability bounding
  libseccomp-dev                     # filters of system calls
  libssl-dev                         # SHA-256 of the policy, signatures of reports
  libcurl4-openssl-dev               # reports go out by HTTP
  libre2-dev                         # regular expressions in rules
  libsqlite3-dev                     # the database of rpm
)
# What makes packages of a build: packaging/build.sh.
package_packages=(
  dpkg-dev rpm binutils  # the two kinds, symbols apart
  python3 git            # bill of materials, time of the last commit
)
# What the quickstart shows the guard with: namespaces and a client.
demo_packages=(iproute2 curl)
# What tests/bench measures with.
bench_packages=(
  mmdebstrap e2fsprogs              # a Debian root of its own, in an image that can be mounted with cold caches
  libbenchmark-dev                  # measures inside a process
  libgtest-dev libgmock-dev         # the build of the tests asks for them
  python3-botocore python3-cryptography  # who takes the reports; botocore also asks the metadata service
  iptables nftables systemd         # what people use instead of the guard
)
# What the tests run: test runner, linters, fuzzers, the attacks' libraries,
# the real clients of the metadata service and the virtual machines.
test_packages=(
  libgtest-dev libgmock-dev libbenchmark-dev
  clang-format clang-tidy clang-16 libclang-rt-14-dev
  ccache                                # a second run compiles only what changed
  iproute2 iptables nftables ethtool curl
  liburing-dev python3 python3-boto3 awscli openssl
  qemu-system-x86 cpio zstd kmod busybox-static dpkg-dev
  e2fsprogs                             # a test reuses inode numbers on a small ext4
  prometheus-node-exporter python3-prometheus-client  # who reads the metrics
  python3-yaml                          # reads the examples of packaging/ as their services do
  python3-jsonschema libxml2-utils      # hold events and reports to their schemas
  python3-cryptography                  # certificates that servers of reports show, good ones and bad ones
  crun                                  # a real runtime's containers
  openssh-server sudo auditd            # say what a configuration of theirs means
  libmount-dev                          # fstab and mount options as mount reads them
  rpm                                   # makes the databases that the packages model is held to
  mmdebstrap                            # real Debians to be checked
  lintian rpmlint                       # the distributions' word on packages
  apparmor selinux-policy-dev           # compile the two profiles
  strace                                # proves that a check of an image stays in it
  man-db git shellcheck systemd         # systemd: systemd-analyze checks the unit files
  valgrind                              # counts instructions: a slowdown that no load on the machine hides
)
# The JavaScript client's test. A machine that has them from elsewhere (another version, another package) keeps them:
# Debian's npm conflicts with a foreign nodejs.
command -v node > /dev/null || test_packages+=(nodejs)
command -v npm > /dev/null || test_packages+=(npm)
# cloud-init is not here on purpose: installed, it would run at the next boot. Its test unpacks the package instead.

packages=()
for group in "$@"; do
  case "$group" in
    build) packages+=("${build_packages[@]}") ;;
    package) packages+=("${package_packages[@]}") ;;
    demo) packages+=("${demo_packages[@]}") ;;
    bench) packages+=("${bench_packages[@]}") ;;
    test) packages+=("${test_packages[@]}") ;;
    *) echo "install-deps.sh: unknown group '$group': allowed are build, package, demo, bench, test" >&2; exit 2 ;;
  esac
done

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

[ "$(id -u)" = 0 ] || { echo "install-deps.sh: needs root to install: ${missing[*]}" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
# Installing a package for a build or a test must start no service on this machine.
policy=/usr/sbin/policy-rc.d
made_policy=no
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
  made_policy=yes
fi
trap '[ "$made_policy" = no ] || rm -f "$policy"' EXIT
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
# Nor at the next boot: the tests only ask sshd and auditctl what a file means.
if [[ " ${missing[*]} " == *" openssh-server "* ]]; then
  rm -f /etc/systemd/system/multi-user.target.wants/ssh.service
fi
if [[ " ${missing[*]} " == *" auditd "* ]]; then
  rm -f /etc/systemd/system/multi-user.target.wants/auditd.service
fi
if [[ " ${missing[*]} " == *" apparmor "* ]]; then
  rm -f /etc/systemd/system/sysinit.target.wants/apparmor.service
fi
