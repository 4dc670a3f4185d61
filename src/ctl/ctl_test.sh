#!/bin/sh
# The command line as people meet it, without a guard. Arguments: the binary, the source folder.
# What needs a guard is in tests/integration.

. "$(dirname "$0")/expect.sh"
bulkhead=$1
source=$2
home=$(mktemp -d) || exit 99
trap 'rm -rf "$home"' EXIT
unset BULKHEAD_HOME

expect 2 'Usage: bulkhead COMMAND' 'nothing asked: an overview, and wrong usage' "$bulkhead"
expect 0 'Usage: bulkhead COMMAND' 'help' "$bulkhead" help
expect 0 'Usage: bulkhead COMMAND' '--help' "$bulkhead" --help
expect 0 'bulkhead 0.' '--version' "$bulkhead" --version
expect 2 'did you mean status?' 'a typo in a command' "$bulkhead" stauts
expect 2 'options come after the command: bulkhead COMMAND --home' 'an option before the command' "$bulkhead" --home /run/x status
expect 2 'no command xyzzy' 'an unknown command' "$bulkhead" help xyzzy
expect 2 'did you mean process_exec?' 'a typo in a type' "$bulkhead" tail --type proces_exec
expect 2 '--events leaves out what --type alert names' 'two options that exclude each other' "$bulkhead" tail --type alert --events
expect 2 '--alerts leaves out what --type process_exec names' 'and the others' "$bulkhead" tail --type process_exec --alerts
expect 69 'start it with' 'two that do not' "$bulkhead" tail --type process_exec --events --home "$home"
expect 2 'no format xml' 'an unknown format' "$bulkhead" tail --format xml
expect 2 'no option --frob' 'an unknown option' "$bulkhead" status --frob
expect 2 'needs a value' 'an option without its value' "$bulkhead" run --home
expect 2 'takes no argument x' 'an argument too many' "$bulkhead" doctor x
expect 2 'no process id' 'a process id that is none' "$bulkhead" tree -- -5
expect 2 'did you mean file_open?' 'a typo in a list of types' "$bulkhead" record -o "$home/x" --types process_exec,file_opn
expect 2 'no duration' 'a duration that is none' "$bulkhead" record -o "$home/x" --for 1y
expect 2 'no size' 'a size that is none' "$bulkhead" record -o "$home/x" --max-size 1.5G
expect 2 'with -o FILE' 'no file to record to' "$bulkhead" record
expect 69 'start it with' 'record without guard' "$bulkhead" record -o "$home/x" --home "$home"
[ -e "$home/x" ] && result 'not ok' 'and no file is left' || result ok 'and no file is left'
expect 2 'needs one process id' 'no process id' "$bulkhead" tree
for command in status tail record doctor run tree scan; do
    expect 0 "Usage: bulkhead $command" "help $command" "$bulkhead" help $command
done
expect 0 'Usage: bulkhead content build' 'help content build' "$bulkhead" help content build

expect 2 'say which files' 'a scan of nothing' "$bulkhead" scan
expect 2 'from 1 to 256' 'a size that is none' "$bulkhead" scan --max-size 0 "$home"
expect 2 'there are no rules in' 'rules that are not there' "$bulkhead" scan --rules "$home/none" "$home"
expect 78 'no YARA rules' 'a folder without rules' "$bulkhead" scan --rules "$home" "$home"
echo 'rule broken { condition: nothing_like_it }' > "$home/broken.yar"
expect 78 "in $home/broken.yar: nothing was looked for" 'rules that do not compile are named, and nothing is walked' \
    "$bulkhead" scan --rules "$home/broken.yar" /
[ "${said#*0 matches}" = "$said" ] && result ok 'and no matches are told' || result 'not ok' 'and no matches are told'
rm "$home/broken.yar"
echo 'rule nothing { condition: false }' > "$home/none.yar"
mkdir "$home/files" && ln -s nowhere "$home/files/link" && mkfifo "$home/files/pipe"
expect 0 'no regular file (1), symbolic link (1)' 'what is left out, in words' \
    "$bulkhead" scan --rules "$home/none.yar" "$home/files"
rm -r "$home/none.yar" "$home/files"
built=$(dirname "$bulkhead")/..
expect 64 'is started by bulkhead-guard' 'an engine started by hand' "$built/engine/bulkhead-engine"
expect 64 'is started by bulkhead-guard' 'a scanner started by hand' "$built/scan/bulkhead-scan"
expect 64 "bulkhead-scan: unrecognized option '--nonsense'" 'a scanner names itself' \
    "$built/scan/bulkhead-scan" --nonsense
expect 69 'say with --rules' 'a scan without guard and rules' "$bulkhead" scan "$home" --home "$home"
expect 69 'start it with' 'status without guard' "$bulkhead" status --home "$home"
expect 69 'start it with' 'tail without guard' "$bulkhead" tail --home "$home"
expect 69 "$home" '$BULKHEAD_HOME is heard' env BULKHEAD_HOME="$home" "$bulkhead" tree 1
said=$("$bulkhead" doctor --home "$home" --json 2> "$home/complaints")
case $said in
'{"kernel":'*'"checks":['*'"advice":'*) result ok 'doctor looks for itself' ;;
*) result 'not ok' 'doctor looks for itself' ;;
esac
grep -q 'no guard answers' "$home/complaints" && result ok 'and says so' || result 'not ok' 'and says so'

[ "$("$bulkhead" doctor --home "$home" 2> "$home/complaints" | LC_ALL=C.UTF-8 wc -L)" -le 80 ] &&
    result ok 'doctor fits a terminal' || result 'not ok' 'doctor fits a terminal'

# As somebody else than root; root itself has to step down for it.
if [ "$(id -u)" = 0 ]; then
    cp "$bulkhead" "$home/bulkhead" && chmod 755 "$home" "$home/bulkhead"
    expect 77 'sudo bulkhead run' 'run without root' setpriv --reuid 65534 --regid 65534 \
        --clear-groups env "LD_LIBRARY_PATH=$(dirname "$bulkhead")/../sdk" "$home/bulkhead" run
    expect 1 'checks need root: try again with sudo' 'doctor without root' setpriv --reuid 65534 --regid 65534 \
        --clear-groups env "LD_LIBRARY_PATH=$(dirname "$bulkhead")/../sdk" "$home/bulkhead" doctor --home "$home"
    expect 78 'cannot use the content' 'run without its content' "$bulkhead" run --home "$home" \
        --content "$home/none.pack"
else
    expect 77 'sudo bulkhead run' 'run without root' "$bulkhead" run
fi

expect 1 'No space left' 'a full disk is said' sh -c "'$bulkhead' help run > /dev/full"
if "$bulkhead" doctor --home "$home" 2>&1 | grep -q "$(printf '\033')"; then
    result 'not ok' 'no colours in a pipe'
else
    result ok 'no colours in a pipe'
fi

# ── documents that have to follow the code ──

missing=
contents=$("$bulkhead" help content | sed -n 's/^  \([a-z]*\)  .*/\1/p')
for option in $(for command in run tail record status; do "$bulkhead" help $command; done
    for command in $contents; do "$bulkhead" help content $command; done); do
    option=${option%%[],;]*}
    case $option in
    --[a-z]*) name=${option#--}
        grep -q -e "Fl -$name" "$source/docs/man/bulkhead.1" || missing="$missing $option"
        for shell in bulkhead.bash _bulkhead bulkhead.fish; do
            grep -q -e "-l $name\|--$name" "$source/packaging/completion/$shell" ||
                missing="$missing $shell:$option"
        done ;;
    esac
done
for command in $contents; do
    for shell in bulkhead.bash _bulkhead bulkhead.fish; do
        grep -qw "$command" "$source/packaging/completion/$shell" || missing="$missing $shell:$command"
    done
done
[ -z "$missing" ] && result ok 'every option is in the manual and in completion' ||
    result 'not ok' "every option is in the manual and in completion, but$missing"

missing=
for type in $(sed -n 's/^### //p' "$source/docs/events.md" | grep -v recorded); do
    for shell in bulkhead.bash _bulkhead bulkhead.fish; do
        grep -qw "$type" "$source/packaging/completion/$shell" || missing="$missing $shell:$type"
    done
done
[ -z "$missing" ] && result ok 'every type is in completion' ||
    result 'not ok' "every type is in completion, but$missing"

# What bash would offer: words of the command line, the last one begun.
offers() {
    bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _bulkhead; echo "${COMPREPLY[*]}"' \
        bash "$source/packaging/completion/bulkhead.bash" "$@"
}
touch "$home/afile"
cd "$home" || exit 99
expect 0 '100M 1G' 'sizes of a recording' offers bulkhead record --max-size ''
expect 0 '16 64 256' 'MiB of a pack' offers bulkhead content build --max-size ''
expect 0 'afile' 'a file for match -e' offers bulkhead content match -e afi
for words in 'scan --time' 'content new --from' 'content explain a.pack'; do
    said=$(offers bulkhead $words '')
    [ -z "$said" ] && result ok "no file names: $words" || result 'not ok' "no file names: $words: $said"
done

echo "1..$number"
