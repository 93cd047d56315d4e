# bash completion of longwire(1)

_longwire_words() { COMPREPLY=($(compgen -W "$1" -- "$cur")); }

# Completes the value of the option before the cursor; false where that takes none.
_longwire_value() {
  case $prev in
    --local) _longwire_words 'unix tcp tls' ;;
    --sandbox) _longwire_words 'enforce log off' ;;
    --log-level) _longwire_words 'debug info warning error' ;;
    --log-format) _longwire_words 'text json' ;;
    -c | --config | --issuer-key | --out | --node-log | --unix) _filedir ;;
    --json)
      if [[ ${words[1]} != trace ]]; then return 1; fi
      _filedir
      ;;
    --state) _filedir -d ;;
    -n | --node) _known_hosts_real -- "$cur" ;;
    -l | --listen | --max-calls | --since | --tenant | --plain | --name) ;;
    *) return 1 ;;
  esac
}

_longwire_run() {
  local i
  for ((i = 2; i < COMP_CWORD; i++)); do
    if [[ ${COMP_WORDS[i]} == -- ]]; then # behind it stands a program
      _command_offset $((i + 1))
      return
    fi
  done
  _longwire_words "--local= --node --node-log --help -- $1"
}

_longwire_trust() {
  if ((cword == 2)); then
    _longwire_words 'list revoke --help'
  elif [[ $cur == -* ]]; then
    _longwire_words '--clients --config --state --help'
  elif [[ ${words[2]} == revoke ]]; then
    local clients=
    if [[ " ${words[*]} " == *' --clients '* ]]; then clients=--clients; fi
    _longwire_words "$("${words[0]}" trust list $clients 2>/dev/null |
      awk '$3 == "since" { print $1 }')"
  fi
}

_longwire() {
  local cur prev words cword split
  _init_completion -s -n : || return
  if ((cword == 1)); then
    _longwire_words 'run trace bench serve devices top doctor pair trust audit key token --help --version'
    return
  fi
  case " ${words[*]:2:cword-2} " in
    *' -- '*) ;; # the value, if any, is the program's
    *) if _longwire_value; then return; fi ;;
  esac
  case ${words[1]} in
    run) _longwire_run '' ;;
    trace) _longwire_run '--json --max-calls' ;;
    bench) _longwire_words '--local= --json --help' ;;
    serve) _longwire_words '--config --listen --no-tls --plain --unix --no-unix --state --name
      --sandbox --log-level --log-format --help' ;;
    devices) _longwire_words '--json --node --help' ;;
    top) _longwire_words '--once --json --config --state --help' ;;
    doctor) _longwire_words '--json --node --config --state --help' ;;
    pair) _longwire_words '--config --state --help' ;;
    trust) _longwire_trust ;;
    key)
      if [[ ${words[2]} == rotate ]]; then
        _longwire_words '--node --valid --config --state --help'
      else
        _longwire_words 'rotate --node --config --state --help'
      fi
      ;;
    token)
      if ((cword == 2)); then
        _longwire_words 'issue new-issuer show --help'
      elif [[ ${words[2]} == issue ]]; then
        _longwire_words '--issuer-key --tenant --node --client --memory --share --device --epoch
          --ttl --out --help'
      else
        _filedir
      fi
      ;;
    audit) _longwire_words '--since --tenant --json --config --state --help' ;;
  esac
  if [[ ${COMPREPLY-} == *= ]]; then compopt -o nospace; fi
}

complete -F _longwire longwire
