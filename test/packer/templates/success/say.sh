#!/bin/sh
echo "first, with a comma"
echo second >&2
env | sort | sed "s/^/env /"
echo "TMPDIR is $TMPDIR"
