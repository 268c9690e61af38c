#!/bin/sh
# What a new version would do to everything that is deployed, as one finds out by hand: in a copy of each folder.
# Usage: preview.sh VERSION FLEET SCRATCH HOW; HOW is `init`, the usual way, or `prepared`, where all share one init.
set -eu
export version="$1" fleet="$2" scratch="$3" GOGC=400 TF_IN_AUTOMATION=1 TF_INPUT=0
mkdir -p "$scratch"

# shellcheck disable=SC2016
init='
  set -eu
  umask 077
  cp -R "$fleet/$1" "$scratch/$1"
  cp "$version/main.tf" "$version/variables.tf" "$scratch/$1"
  cd "$scratch/$1"
  terraform init -input=false -no-color >log
  terraform plan -input=false -lock=false -no-color -out=plan.tfplan >>log
'
# shellcheck disable=SC2016
prepared='
  set -eu
  umask 077
  cp -R "$fleet/$1" "$scratch/$1"
  cp "$version/main.tf" "$version/variables.tf" "$scratch/$1"
  cd "$scratch/$1"
  TF_DATA_DIR="$version/.terraform" terraform plan -input=false -lock=false -no-color >log
'
case "$4" in
init) one="$init" ;;
*) one="$prepared" ;;
esac
export one
# shellcheck disable=SC2016
ls "$fleet" | xargs -P "$(nproc)" -I '{}' sh -c 'exec sh -c "$one" one "$1"' sh '{}'
# how many there are of each kind, which is the least that one wants to know
cat "$scratch"/*/log | grep "^Plan: " | sort | uniq -c
