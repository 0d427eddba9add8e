#!/bin/sh
# A test launch fails an image that still has these: each machine that starts from it makes its own.
set -eu
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

as_root rm -f /etc/ssh/ssh_host_*
as_root sh -c ': > /etc/machine-id'
# The key pair of the bake, which cloud-init wrote down.
as_root sh -c 'rm -f /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys'
if command -v cloud-init > /dev/null; then as_root cloud-init clean --logs; fi
