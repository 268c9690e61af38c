#!/bin/sh
# The best that one writes by hand to bring a new version to what is there: the new code copied into every folder, no
# init, and then what is to happen, side by side.
# Usage: upgrade.sh VERSION FOLDER COUNT approved|planned|previewed
#   approved: one terraform apply that approves itself; planned: a plan in a file, and that plan applied;
#   previewed: a plan and nothing else
set -eu
export version="$1" folder="$2" how="$4" GOGC=400 TF_IN_AUTOMATION=1 TF_INPUT=0 TF_DATA_DIR="$1/.terraform"

# shellcheck disable=SC2016
one='
  set -eu
  cd "$folder/$1"
  cp "$version/main.tf" .
  case "$how" in
    approved) terraform apply -no-color -auto-approve >log ;;
    planned) terraform plan -no-color -out=plan.tfplan >log && terraform apply -no-color plan.tfplan >>log ;;
    previewed) terraform plan -no-color -lock=false >log ;;
  esac
'
# shellcheck disable=SC2016
seq "$3" | xargs -P "$(nproc)" -I '{}' sh -c "$one" sh 'service-{}'
