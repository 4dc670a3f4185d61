#!/bin/sh
# `bulkhead content` as people meet it. Argument: the binary.

bulkhead=$(realpath "$1")
home=$(mktemp -d) || exit 99
trap 'rm -rf "$home"' EXIT
cd "$home" || exit 99
number=0

result() { # ok|not ok, name
    number=$((number + 1))
    echo "$1 $number - $2"
}

# expect CODE WORDS NAME COMMAND...: exits with CODE, and says WORDS on either output.
expect() {
    code=$1 words=$2 name=$3
    shift 3
    said=$("$@" 2>&1)
    got=$?
    if [ "$got" = "$code" ] && printf '%s' "$said" | grep -qF -e "$words"; then
        result ok "$name"
    else
        result 'not ok' "$name"
        printf '%s\n' "exit code $got instead of $code, or \"$words\" missing in:" "$said" | sed 's/^/# /'
    fi
}

rule() { # id, detection line
    printf 'title: Rule %s\nid: %s\nauthor: Ann\nlevel: high\nlogsource: {category: process_creation}\n' "$1" "$1"
    printf 'detection:\n  s: {%s}\n  condition: s\n' "$2"
}

mkdir good mixed
rule one 'CommandLine|endswith: -x' > good/one.yml
{ rule two 'Image: /bin/sh'; echo ---; rule three 'Image|startswith: /dev/shm/'; } > good/more.yaml
echo 'no rule' > good/README
cp good/one.yml mixed
rule bad 'image: /x' > mixed/bad.yml
printf 'title: \377\n' > mixed/latin.yml
printf 'title: T\n\tx: 1\n' > mixed/tab.yml
truncate -s 100M mixed/huge.yml

expect 0 '3 rules' 'rules become a pack' "$bulkhead" content build good -o good.pack
expect 0 '"status":"ok"' 'the report names every rule' "$bulkhead" content build good -o good.pack --report json
expect 1 "mixed/bad.yml:7: detection: no event has a field 'image': did you mean 'Image'?" 'a broken rule is refused' \
    "$bulkhead" content build mixed -o mixed.pack
expect 1 'mixed/latin.yml:1: yaml: this line is not UTF-8' 'and the next' "$bulkhead" content build mixed -o mixed.pack
expect 1 'mixed/tab.yml:2: yaml: ' 'and the next' "$bulkhead" content build mixed -o mixed.pack
expect 1 'mixed/huge.yml:1: file: a rule file has at most 8 MiB' 'and one of 100 MB' "$bulkhead" content build mixed -o mixed.pack
expect 0 '1 rules' 'the pack holds the others' "$bulkhead" content verify mixed.pack
expect 1 'was not written' '--strict wants all or nothing' "$bulkhead" content build mixed -o strict.pack --strict
expect 1 'no rule could be compiled' 'nothing makes no pack' "$bulkhead" content build mixed/bad.yml -o strict.pack
[ -e strict.pack ] && result 'not ok' 'and none was written' || result ok 'and none was written'
expect 1 'nowhere:1: file: No such file' 'a folder that is not there' "$bulkhead" content build nowhere good -o x.pack
expect 1 'cannot write nowhere/p' 'a pack that cannot be written' "$bulkhead" content build good -o nowhere/p
expect 1 'another rule has the same id' 'an id that is taken' "$bulkhead" content build good mixed/one.yml -o x.pack
expect 2 'with -o PACK' 'no pack named' "$bulkhead" content build good
expect 2 'folders and files' 'no rules named' "$bulkhead" content build -o x.pack
expect 2 'text or json' 'an unknown report' "$bulkhead" content build good -o x.pack --report xml
expect 2 'did you mean build' 'a typo' "$bulkhead" content biuld
expect 2 'build, verify, match or explain' 'no command' "$bulkhead" content

"$bulkhead" content build good/more.yaml good/one.yml -o again.pack > /dev/null
cmp -s good.pack again.pack || result 'not ok' 'the order of arguments changes nothing'
cmp -s good.pack again.pack && result ok 'the order of arguments changes nothing'

expect 0 'accepted' 'a pack is proven' "$bulkhead" content verify good.pack
expect 0 '"accepted":true' 'in JSON, too' "$bulkhead" content verify good.pack --json
size=$(stat -c %s good.pack)
for cut in 0 1 63 64 200 $((size - 1)); do
    head -c "$cut" good.pack > cut.pack
    expect 1 'no pack that could run' "a pack cut at $cut" "$bulkhead" content verify cut.pack
done

cat > events.jsonl <<'EOF'
{"category":"process_creation","product":"linux","fields":{"Image":"/bin/sh","CommandLine":"sh -x"}}
{"type":"process_exec","path":"/dev/shm/a","command_line":"a \"fields\""}

{"type":"process_exec","path":"/bin/true"}
EOF
expect 0 '{"line":1,"rule":"one","title":"Rule one","author":"Ann","level":"high"' 'a match' \
    "$bulkhead" content match good.pack --events events.jsonl --format json
expect 0 '{"line":2,"rule":"three"' 'names go by the line' \
    "$bulkhead" content match good.pack --events events.jsonl --format json
expect 0 'Rule two (Ann)' 'text names the author' "$bulkhead" content match good.pack --events events.jsonl
expect 0 '{"line":1,"rule":"two"' 'standard input' \
    sh -c "\"$bulkhead\" content match good.pack --events - --format json < events.jsonl"
expect 1 'events.jsonl:2: ' '--names holds for every line' \
    "$bulkhead" content match good.pack --events events.jsonl --names sigma
echo '{"type":"nothing"}' >> events.jsonl
expect 1 'events.jsonl:5: there is no event type' 'a line that is no event' \
    "$bulkhead" content match good.pack --events events.jsonl
expect 2 'with --events' 'no events named' "$bulkhead" content match good.pack
expect 1 'No such file' 'events that are not there' "$bulkhead" content match good.pack --events nowhere

expect 0 'three  high' 'the rules of a pack' "$bulkhead" content explain good.pack
expect 0 'path starts with "/dev/shm/"' 'a program in words' "$bulkhead" content explain good.pack three
expect 1 'holds no rule four' 'a rule that is not there' "$bulkhead" content explain good.pack four

mkdir chain
cat > chain/a.yml <<'EOF'
title: Again
id: again
level: high
correlation:
  type: event_count
  rules: [first]
  group-by: [User]
  timespan: 90s
  condition: {gte: 2}
EOF
{ rule first-id 'CommandLine: fail' | sed 's/^title/name: first\n&/'; } > chain/b.yml
cat > chain.jsonl <<'EOF'
{"category":"process_creation","time_ms":1000,"fields":{"User":"a","CommandLine":"fail"}}
{"category":"process_creation","time_ms":2000,"fields":{"User":"b","CommandLine":"fail"}}
{"category":"process_creation","time_ms":91000,"fields":{"User":"a","CommandLine":"fail"}}
EOF
expect 0 '2 rules' 'a correlation and what it refers to, in two files' "$bulkhead" content build chain -o chain.pack
expect 0 '1 correlations' 'the proof counts it' "$bulkhead" content verify chain.pack
expect 0 'event_count within 90s: gte 2' 'it is explained' "$bulkhead" content explain chain.pack again
expect 0 'a correlation refers to it' 'and so is the silence of the other' "$bulkhead" content explain chain.pack first-id
expect 0 '{"line":3,"rule":"again"' 'it fires' "$bulkhead" content match chain.pack --events chain.jsonl --format json
expect 0 '2 events within 90s for user=a' 'and says why' "$bulkhead" content match chain.pack --events chain.jsonl
expect 1 "chain/a.yml:6: reference: no rule has the id or name 'first'" 'alone it is refused' \
    "$bulkhead" content build chain/a.yml good -o x.pack

echo "1..$number"
