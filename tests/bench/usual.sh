#!/bin/sh
# What one usually writes: in a folder each, init, apply without a plan in a file, output.
# Usage: usual.sh VERSIONS FOLDER COUNT
set -eu
export versions="$1" folder="$2" TF_IN_AUTOMATION=1 TF_INPUT=0

# kind, name, and all values as JSON
# shellcheck disable=SC2016
one='
  set -eu
  mkdir -p "$folder/$2"
  cp "$versions/$1/main.tf" "$versions/$1/variables.tf" "$folder/$2"
  cd "$folder/$2"
  printf "%s" "$3" >terraform.tfvars.json
  terraform init -no-color >log
  terraform apply -no-color -auto-approve >>log
  terraform output -json >outputs.json
'
sh -c "$one" one environment env '{"environment": {"name": "env", "inputs": {"cidr": "10.0.0.0/16", "zones": 2}}}'
outputs=$(python3 -c '
import json, sys
print(json.dumps({name: output["value"] for name, output in json.load(sys.stdin).items()}))' <"$folder/env/outputs.json")
export one outputs
# shellcheck disable=SC2016
seq "$3" | xargs -P "$(nproc)" -I '{}' sh -c 'exec sh -c "$one" one service "$1" "{
  \"environment\": {\"name\": \"env\", \"outputs\": $outputs}, \"service\": {\"name\": \"$1\"},
  \"service_instance\": {\"name\": \"env\", \"inputs\": {\"port\": 8080, \"image\": \"orders:1\"}}}"' sh 'service-{}'
