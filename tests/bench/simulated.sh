#!/bin/sh
# A Terraform that takes time and next to no CPU: the seconds in the file `seconds` beside it, for a plan as for an apply.
# It answers as the real one does where Landform looks.
pause() {
  read -r seconds <"${0%/*}/seconds"
  [ "$seconds" = 0 ] || sleep "$seconds"
}
say() {
  printf '{"@level":"info","@message":"%s","@module":"terraform.ui",%s,"type":"%s"}\n' "$1" "$2" "$3"
}
job='"resource":{"addr":"terraform_data.job"},"action":"create"'
text='{"value":"1","type":"string"}'
outputs="{\"network_id\":$text,\"cluster_id\":$text,\"cidr\":$text}"
case $1 in
  version) echo '{"terraform_version":"1.11.4"}' ;;
  plan)
    : >started
    for word; do
      case $word in -out=*) plan=${word#-out=} ;; esac
    done
    pause
    say 'terraform_data.job: Plan to create' "\"change\":{$job}" planned_change
    echo plan >"$plan"
    exit 2
    ;;
  apply)
    say 'terraform_data.job: Creating...' "\"hook\":{$job}" apply_start
    pause
    say 'terraform_data.job: Creation complete' "\"hook\":{$job,\"elapsed_seconds\":0}" apply_complete
    serial=0
    [ ! -e serial ] || read -r serial <serial
    echo $((serial + 1)) >serial
    printf '{"version":4,"terraform_version":"1.11.4","serial":%s,"lineage":"%s","outputs":%s,"resources":[]}\n' \
      $((serial + 1)) "$PWD" "$outputs" >terraform.tfstate
    ;;
esac
