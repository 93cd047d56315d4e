# bash completion of longwire(1)

_longwire_run() {
  local i
  for ((i = 2; i < COMP_CWORD; i++)); do # behind `--`, or the first plain word, stands a program
    if [[ ${COMP_WORDS[i]} == -- ]]; then
      _command_offset $((i + 1))
      return
    fi
  done
  case $cur in
    --local=*) COMPREPLY=($(compgen -W 'unix tcp tls' -- "${cur#*=}")) ;;
    -*) COMPREPLY=($(compgen -W '--local= --node --node-log --help --' -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W '--' -- "$cur")) ;;
  esac
}

_longwire() {
  local cur prev words cword
  _init_completion -n = || return
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W 'serve run devices pair trust --help --version' -- "$cur"))
    return
  fi
  case ${COMP_WORDS[1]} in
    run) _longwire_run ;;
    serve) COMPREPLY=($(compgen -W '--config --listen --no-tls --plain --unix --no-unix --state --name
      --sandbox --log-level --log-format --help' -- "$cur")) ;;
    devices) COMPREPLY=($(compgen -W '--json --node --help' -- "$cur")) ;;
    pair) COMPREPLY=($(compgen -W '--config --state --help' -- "$cur")) ;;
    trust) COMPREPLY=($(compgen -W 'list revoke --clients --config --state --help' -- "$cur")) ;;
    *) COMPREPLY=($(compgen -W '--help' -- "$cur")) ;;
  esac
  if [[ ${COMPREPLY-} == *= ]]; then compopt -o nospace; fi
}

complete -F _longwire longwire
