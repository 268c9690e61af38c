#!/bin/sh
# The best that one writes by hand: a prepared version that all share, no init, a plan in a file, and that plan applied.
# Usage: best.sh VERSIONS FOLDER COUNT
set -eu
export versions="$1" folder="$2" GOGC=400 TF_IN_AUTOMATION=1 TF_INPUT=0

# kind, name, and all values as JSON
# shellcheck disable=SC2016
one='
  set -eu
  umask 077
  mkdir -p "$folder/$2"
  cp "$versions/$1/main.tf" "$versions/$1/variables.tf" "$folder/$2"
  cd "$folder/$2"
  printf "%s" "$3" >terraform.tfvars.json
  export TF_DATA_DIR="$versions/$1/.terraform"
  terraform plan -no-color -out=plan.tfplan >log
  terraform apply -no-color plan.tfplan >>log
'
sh -c "$one" one environment env '{"environment": {"name": "env", "inputs": {"cidr": "10.0.0.0/16", "zones": 2}}}'
cd "$folder/env"
outputs=$(TF_DATA_DIR="$versions/environment/.terraform" terraform output -json | python3 -c '
import json, sys
print(json.dumps({name: output["value"] for name, output in json.load(sys.stdin).items()}))')
export one outputs
# shellcheck disable=SC2016
seq "$3" | xargs -P "$(nproc)" -I '{}' sh -c 'exec sh -c "$one" one service "$1" "{
  \"environment\": {\"name\": \"env\", \"outputs\": $outputs}, \"service\": {\"name\": \"$1\"},
  \"service_instance\": {\"name\": \"env\", \"inputs\": {\"port\": 8080, \"image\": \"orders:1\"}}}"' sh 'service-{}'
