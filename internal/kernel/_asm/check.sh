#!/bin/sh
# Tells whether the committed assembly is what the generator writes.
set -e
cd "$(dirname "$0")"
fresh=$(mktemp -d)
trap 'rm -r "$fresh"' EXIT
./generate.sh "$fresh"
for file in "$fresh"/*; do
	diff -u "../$(basename "$file")" "$file"
done
