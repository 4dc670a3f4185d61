# bash completion for bulkhead

_bulkhead_types="process_exec process_fork process_exit file_create file_modify file_rename file_link
    file_unlink file_attribute file_open network_connect network_accept network_listen process_trace
    credential_change module_load bpf_load mount unmount namespace_change memfd_create alert health"

# What may follow the word before the cursor; false: it is no option with a value.
_bulkhead_value() {
    case $1 in
    --home) COMPREPLY=($(compgen -d -- "$cur")) ;;
    --content | --golden | --events | --expect | --ordinary | --tests | --from-file | --watch | --rules | -e | -o | --output) COMPREPLY=($(compgen -f -- "$cur")) ;;
    --types)
        # The last of a list; those before it stay.
        local before=""
        [[ $cur == *,* ]] && before=${cur%,*},
        COMPREPLY=($(compgen -P "$before" -W "$_bulkhead_types" -- "${cur##*,}"))
        ;;
    --for) COMPREPLY=($(compgen -W "90s 15m 1h 1d" -- "$cur")) ;;
    --max-size)
        # A size of a recording; MiB of a pack or of a file to scan.
        local sizes="16 64 256"
        [[ ${COMP_WORDS[1]} == record ]] && sizes="100M 1G"
        COMPREPLY=($(compgen -W "$sizes" -- "$cur"))
        ;;
    --from | --rule | --time | --jobs | --valid-at | --max-alerts-per-hour | --max-event-cost | --max-memory | --max-time)
        COMPREPLY=() # numbers, and what only the user knows: no file names
        ;;
    --last) COMPREPLY=($(compgen -W "$_bulkhead_types" -- "$cur")) ;;
    --silent-from) COMPREPLY=($(compgen -W "informational low medium high critical" -- "$cur")) ;;
    --type) COMPREPLY=($(compgen -W "$_bulkhead_types" -- "$cur")) ;;
    --format)
        local formats="text json ocsf"
        [[ ${COMP_WORDS[1]} == content ]] && formats="text json"
        COMPREPLY=($(compgen -W "$formats" -- "$cur"))
        ;;
    --names) COMPREPLY=($(compgen -W "sigma bulkhead" -- "$cur")) ;;
    --report) COMPREPLY=($(compgen -W "text json" -- "$cur")) ;;
    *) return 1 ;;
    esac
}

_bulkhead_content() {
    local options=""
    if [[ $COMP_CWORD -eq 2 ]]; then
        COMPREPLY=($(compgen -W "build verify match replay test diff new cost explain load rollback --help" -- "$cur"))
        return
    fi
    case ${COMP_WORDS[2]} in
    build)
        options="-o --report --any-product --tests --proven --strict --release --golden --max-alerts-per-hour"
        options+=" --max-event-cost --max-memory --max-size --valid-at --help"
        ;;
    verify) options="--max-event-cost --max-memory --max-size --max-time --json --help" ;;
    match) options="-e --events --names --format --help" ;;
    replay) options="--all --names --json --help" ;;
    test)
        options="--tests --events --expect --ordinary --silent-from --rule --complete --names --any-product"
        options="$options --json --help"
        ;;
    diff) options="--json --help" ;;
    new) options="--from --from-file --last -o --output --tests --names --home --help" ;;
    cost) options="--all --json --home --help" ;;
    explain) options="--help" ;;
    load | rollback) options="--json --home --help" ;;
    esac
    if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$cur"))
    elif [[ ${COMP_WORDS[2]} == explain && $COMP_CWORD -gt 3 ]]; then
        COMPREPLY=() # a rule of the pack
    elif [[ ${COMP_WORDS[2]} != new && ${COMP_WORDS[2]} != rollback ]]; then
        COMPREPLY=($(compgen -f -- "$cur"))
    fi
}

_bulkhead() {
    local cur=${COMP_WORDS[COMP_CWORD]}
    local commands="run status tail record tree doctor scan drill content help"
    if [[ $COMP_CWORD -eq 1 ]]; then
        COMPREPLY=($(compgen -W "$commands --help --version" -- "$cur"))
        return
    fi
    _bulkhead_value "${COMP_WORDS[COMP_CWORD - 1]}" && return
    case ${COMP_WORDS[1]} in
    run) COMPREPLY=($(compgen -W "--home --content --json --help" -- "$cur")) ;;
    status | doctor) COMPREPLY=($(compgen -W "--json --home --help" -- "$cur")) ;;
    tail) COMPREPLY=($(compgen -W "--events --alerts --type --watch --format --home --help" -- "$cur")) ;;
    record)
        COMPREPLY=($(compgen -W "-o --output --types --watch --past --for --max-size --home --help" -- "$cur"))
        ;;
    tree)
        local processes
        processes=$(cd /proc && compgen -G '[1-9]*')
        COMPREPLY=($(compgen -W "$processes --json --home --help" -- "$cur"))
        ;;
    scan)
        if [[ $cur == -* ]]; then
            COMPREPLY=($(compgen -W "--rules --max-size --time --jobs --one-file-system --json --home --help" -- "$cur"))
        else
            COMPREPLY=($(compgen -f -- "$cur"))
        fi
        ;;
    drill) COMPREPLY=($(compgen -W "channel-291 --json --help" -- "$cur")) ;;
    content) _bulkhead_content ;;
    help) COMPREPLY=($(compgen -W "$commands" -- "$cur")) ;;
    esac
}

complete -o filenames -F _bulkhead bulkhead
