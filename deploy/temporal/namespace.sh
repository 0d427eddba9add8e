#!/bin/sh
# The namespace our workflows live in. Closed runs are kept three days; history that matters is in the registry.
set -eu
temporal operator namespace describe -n default >/dev/null 2>&1 ||
  temporal operator namespace create -n default --retention 72h
