#!/bin/sh
# `bulkhead content` as people meet it. Argument: the binary.

. "$(dirname "$0")/../expect.sh"
bulkhead=$(realpath "$1")
home=$(mktemp -d) || exit 99
trap 'rm -rf "$home"' EXIT
cd "$home" || exit 99

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
expect 1 'mixed/huge.yml: a rule file has at most 8 MiB' 'and one of 100 MB' "$bulkhead" content build mixed -o mixed.pack
expect 0 '1 rule, ' 'the pack holds the others' "$bulkhead" content verify mixed.pack
mkdir "drawn"
esc=$(printf '\302\2332J\342\200\256')
rule drawn '"\u009b2J\u202ex": a' > "drawn/a${esc}.yml"
printf '\342\200\256\302\233 \377 x\n' > drawn/b.ioc.txt
expect 1 "drawn/a\\x9b2J\\u{202e}.yml:7: detection: no event has a field '\\x9b2J\\u{202e}x'" \
    'what a rule quotes and how it is named draws nothing' "$bulkhead" content build drawn -o x.pack
expect 1 "drawn/b.ioc.txt:1: indicator: '" 'nor what a feed quotes' "$bulkhead" content build drawn -o x.pack
printf '%s\n' "$said" | LC_ALL=C grep -q "$(printf '\302\233\|\342\200\256\|\377')" &&
    result 'not ok' 'and no byte of it is raw' || result ok 'and no byte of it is raw'
"$bulkhead" content build drawn -o x.pack --report json 2> /dev/null | iconv -f UTF-8 -t UTF-8 > /dev/null &&
    result ok 'the report is UTF-8' || result 'not ok' 'the report is UTF-8'
expect 1 'was not written' '--strict wants all or nothing' "$bulkhead" content build mixed -o strict.pack --strict
expect 1 'no rule could be compiled' 'nothing makes no pack' "$bulkhead" content build mixed/bad.yml -o strict.pack
[ -e strict.pack ] && result 'not ok' 'and none was written' || result ok 'and none was written'
expect 1 'nowhere: No such file or directory' 'a folder that is not there' "$bulkhead" content build nowhere good -o x.pack
expect 1 'cannot write nowhere/p' 'a pack that cannot be written' "$bulkhead" content build good -o nowhere/p
expect 1 'another rule has the same id' 'an id that is taken' "$bulkhead" content build good mixed/one.yml -o x.pack
expect 2 'with -o PACK' 'no pack named' "$bulkhead" content build good
expect 2 'folders and files' 'no rules named' "$bulkhead" content build -o x.pack
expect 2 'text or json' 'an unknown report' "$bulkhead" content build good -o x.pack --report xml
expect 2 'did you mean build?' 'a typo' "$bulkhead" content biuld
expect 2 'build, verify, match' 'no command' "$bulkhead" content

"$bulkhead" content build good/more.yaml good/one.yml -o again.pack > /dev/null
cmp -s good.pack again.pack || result 'not ok' 'the order of arguments changes nothing'
cmp -s good.pack again.pack && result ok 'the order of arguments changes nothing'

expect 0 'accepted' 'a pack is proven' "$bulkhead" content verify good.pack
expect 0 '"accepted":true' 'in JSON, too' "$bulkhead" content verify good.pack --json
size=$(stat -c %s good.pack)
for cut in 0 1 63 64 200 $((size - 1)); do
    head -c "$cut" good.pack > cut.pack
    expect 1 'refused: ' "a pack cut at $cut" "$bulkhead" content verify cut.pack
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

# ── what holds no rules ──

mkdir empty
expect 1 'empty holds no *.yml, *.yaml, *.ioc.* or *.yar' 'an empty folder' "$bulkhead" content build empty -o x.pack
expect 1 'empty holds no *.yml' 'to test' "$bulkhead" content test empty
expect 1 'no rule could be compiled' 'nothing to test' "$bulkhead" content test mixed/bad.yml
printf '%s' "$said" | grep -q 'bulkhead-content' && result 'not ok' 'and no temporary file is named' || result ok 'and no temporary file is named'
cp "$bulkhead" binary.ioc.txt
expect 1 'binary.ioc.txt: this is no text' 'a program as a list' "$bulkhead" content build binary.ioc.txt -o x.pack
[ "$(printf '%s\n' "$said" | grep -c 'binary.ioc.txt')" = 1 ] && result ok 'is one refusal' || result 'not ok' 'is one refusal'
for command in 'match good.pack --events' 'replay good.pack' 'test good.pack --tests' 'build good -o x.pack --tests'; do
    expect 1 'this is no text' "a program as events: $command" "$bulkhead" content $command binary.ioc.txt
    [ "$(printf '%s\n' "$said" | grep -c 'binary.ioc.txt')" = 1 ] && result ok 'is told once' || result 'not ok' 'is told once'
done
yes 'no event' | head -n 30 > words.jsonl
expect 1 'words.jsonl: and 25 more lines that are no events' 'lines that are no events' "$bulkhead" content match good.pack --events words.jsonl
expect 1 'and 25 more lines that say nothing' 'nor tests' "$bulkhead" content test good.pack --tests words.jsonl
expect 1 'words.jsonl: and 25 more lines' 'nor tests for a pack' "$bulkhead" content build good -o x.pack --tests words.jsonl

# ── what is no pack ──

mkdir folder
printf '\050\265\057\375more' > tape.zst
for command in verify explain cost load 'diff good.pack'; do
    case $command in diff*) code=78 ;; *) code=1 ;; esac
    expect $code 'cannot read folder: it is a folder' "a folder: $command" "$bulkhead" content $command folder
    printf '%s' "$said" | grep -q 'system refused\|\.c:' && result 'not ok' 'in plain words' || result ok 'in plain words'
    expect $code 'cannot read nope: No such file or directory' "nothing: $command" "$bulkhead" content $command nope
    printf '%s' "$said" | grep -q 'system refused\|\.c:' && result 'not ok' 'in plain words' || result ok 'in plain words'
    expect $code 'tape.zst is a recording, and no pack: `bulkhead content replay PACK tape.zst`' "a recording: $command" \
        "$bulkhead" content $command tape.zst
done
expect 1 'good/one.yml holds rules, and is no pack: `bulkhead content build' 'a rule' "$bulkhead" content verify good/one.yml
expect 1 'cannot read folder: it is a folder' 'a folder as recording' "$bulkhead" content replay good.pack folder
expect 1 'cannot read nope: No such file or directory' 'nothing as recording' "$bulkhead" content new --from-file nope:1

# ── packs are read in a cage first ──

mkdir alone
cp "$bulkhead" alone/bulkhead
expect 0 'WARNING: there is no bulkhead-verify beside this program: good.pack is proven here, in no cage' \
    'without its verifier the command line says so' alone/bulkhead content explain good.pack
expect 0 'three  high' 'and goes on' alone/bulkhead content explain good.pack
asks_first() { # name, what the verifier does, exit code that is expected, words
    printf '#!/bin/sh\n[ "$*" = --structure ] || exit 2\n%s\n' "$2" > alone/bulkhead-verify
    chmod +x alone/bulkhead-verify
    expect 1 "$3" "$1: explain" alone/bulkhead content explain good.pack
    expect 1 "$3" "$1: match" alone/bulkhead content match good.pack --events events.jsonl
    expect 78 "$3" "$1: diff" alone/bulkhead content diff good.pack good.pack
    expect 1 "$3" "$1: replay" alone/bulkhead content replay good.pack events.jsonl
    expect 1 "$3" "$1: cost" alone/bulkhead content cost good.pack
    expect 1 "$3" "$1: test" alone/bulkhead content test good.pack
}
asks_first 'what is refused in the cage is not opened' 'echo "refused: rules[3]: so it is"; exit 1' \
    'good.pack is no pack that could run: rules[3]: so it is'
asks_first 'nor what ends the verifier' 'kill -SYS $$' 'bulkhead-verify gave no answer (signal 31)'

mkdir -p lists/feeds
cp good/one.yml lists
printf '# title: Bad hosts\n# author: Ann\n192.0.2.0/24\nevil[.]example\nnot one\n' > lists/feeds/hosts.ioc.txt
printf '# title: Kits\r\n/opt/kit/a/\r\n' > lists/kits.ioc.txt
echo 'A README of the feeds, no list.' > lists/README.txt
expect 1 'lists/feeds/hosts.ioc.txt:5: indicator: '"'not one'"' is more than one word' 'a bad entry has a line' \
    "$bulkhead" content build lists -o lists.pack
expect 1 '3 indicators in 3 lists' 'lists beside rules are taken' "$bulkhead" content build lists -o lists.pack
expect 1 'no live event carries the name of a host: 1 domain matches' 'what matches nothing live is said' \
    "$bulkhead" content build lists -o lists.pack
expect 1 'lists.pack: 5 rules, 3 indicators in 3 lists, 0 YARA files; ' 'and counted apart' "$bulkhead" content build lists -o lists.pack
expect 0 '5 rules, ' 'as the proof counts them' "$bulkhead" content verify lists.pack
expect 0 '3 indicators in 3 lists' 'and proven' "$bulkhead" content verify lists.pack
expect 0 '"lists":3,"indicators":3' 'in JSON, too' "$bulkhead" content verify lists.pack --json
expect 0 'list kits: path, 1 entry,' 'and listed' "$bulkhead" content explain lists.pack
echo '{"type":"network_connect","initiated":true,"destination_address":"192.0.2.7"}' > hosts.jsonl
expect 0 'Bad hosts: a connection with a listed address (Ann): 192.0.2.0/24' 'a match names the entry' \
    "$bulkhead" content match lists.pack --events hosts.jsonl
expect 0 '"indicator":"192.0.2.0/24"' 'in JSON, too' "$bulkhead" content match lists.pack --events hosts.jsonl --format json
echo '{"objects":[{"type":"indicator","pattern":"[ipv4-addr:value = '"'192.0.2.9'"']","valid_until":"2026-01-01T00:00:00Z"}]}' > old.json
expect 1 'no indicator that could be used' 'an indicator that has expired' \
    "$bulkhead" content build old.json -o x.pack --valid-at 2026-02-01T00:00:00Z
expect 0 '1 indicator in 1 list' 'and had not' "$bulkhead" content build old.json -o x.pack --valid-at 2025-12-31T00:00:00Z
expect 2 'a time is 2026-01-31T00:00:00Z' 'a time that is none' "$bulkhead" content build old.json -o x.pack --valid-at today
printf 'ip,domain\n192.0.2.1,a.example\n' > feed.csv
expect 0 '2 indicators in 2 lists' 'a feed by its name' "$bulkhead" content build feed.csv -o x.pack
expect 1 'another list has the same name' 'two lists of one name' \
    "$bulkhead" content build feed.csv feed.csv -o x.pack
truncate -s 600M huge.csv
expect 1 'huge.csv: a list of indicators has at most 512 MiB' 'a feed without end' \
    "$bulkhead" content build huge.csv -o x.pack

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
expect 0 '1 correlation, ' 'the proof counts it' "$bulkhead" content verify chain.pack
expect 0 'event_count within 90s: gte 2' 'it is explained' "$bulkhead" content explain chain.pack again
expect 0 'a correlation refers to it' 'and so is the silence of the other' "$bulkhead" content explain chain.pack first-id
expect 0 '{"line":3,"rule":"again"' 'it fires' "$bulkhead" content match chain.pack --events chain.jsonl --format json
expect 0 '2 events within 90s for user=a' 'and says why' "$bulkhead" content match chain.pack --events chain.jsonl
sed 's/gte: 2/gte: 2000000/' chain/a.yml > vast.yml
expect 1 'vast.yml:1: correlation: their windows need more memory than there is' 'one that no memory could hold' \
    "$bulkhead" content build vast.yml chain/b.yml -o x.pack
expect 1 "chain/a.yml:6: reference: no rule has the id or name 'first'" 'alone it is refused' \
    "$bulkhead" content build chain/a.yml good -o x.pack

# ── replay ──

{
    echo '{"bulkhead_recording":1,"schema":"0000000000000000"}'
    echo '{"type":"process_exec","seq":1,"time":"2026-01-02T03:00:00Z","path":"/bin/sh","command_line":"sh -x"}'
    echo '{"bulkhead_lost":7}'
    echo '{"type":"process_exec","seq":9,"time":"2026-01-02T05:00:00Z","path":"/dev/shm/a","command_line":"a -x"}'
    echo '{"bulkhead_end":{"events":2,"lost":7}}'
} > hour.jsonl
zstd -q hour.jsonl -o hour.zst
for file in hour.jsonl hour.zst; do
    expect 0 '4 alerts of 3 of 3 rules, 2.0 an hour' "a replay of $file" "$bulkhead" content replay good.pack $file
    expect 0 "$file:2: process_exec sh(0)" 'names the first event' "$bulkhead" content replay good.pack $file
    expect 0 'too slow for 7 events' 'and what misses' "$bulkhead" content replay good.pack $file
done
expect 0 '"alerts":4,' 'in JSON, too' "$bulkhead" content replay good.pack hour.zst --json
expect 0 '"per_hour":1.000' 'with rates' "$bulkhead" content replay good.pack hour.zst --json
expect 0 '8 alerts of 3 of 3 rules, 2.0 an hour' 'two recordings' "$bulkhead" content replay good.pack hour.zst hour.jsonl
expect 0 '{"line":2,"rule":"one"' 'match reads recordings, too' \
    "$bulkhead" content match good.pack --events hour.zst --format json
head -c 100 hour.zst > cut.zst
expect 0 'it ends without its last line' 'a cut recording' "$bulkhead" content replay good.pack cut.zst
{ head -c 50 hour.zst; echo garbage; tail -c +60 hour.zst; } > damaged.zst
expect 1 'the packed bytes are damaged' 'a damaged one' "$bulkhead" content replay good.pack damaged.zst
expect 1 'No such file' 'one that is not there' "$bulkhead" content replay good.pack nowhere
printf '%s' "$said" | grep -q 'alerts' && result 'not ok' 'of which nothing is reported' || result ok 'of which nothing is reported'
expect 1 '4 alerts of 3 of 3 rules' 'what could be read beside it is reported' "$bulkhead" content replay good.pack nowhere hour.jsonl
printf '%s' "$said" | grep -q 'nowhere .* 0 events' && result 'not ok' 'and it is not' || result ok 'and it is not'
expect 2 'name a pack, then the recordings' 'no recording' "$bulkhead" content replay good.pack

# ── test ──

rule vague "CommandLine|endswith: ['', abc]" > vague.yml

test_event() { # rule, expect, path
    printf '{"rule":"%s","expect":%s,"note":"a note","event":{"type":"process_exec","path":"%s"}}\n' "$1" "$2" "$3"
}
mkdir cases
{ test_event three true /dev/shm/a; test_event three false /tmp/a; } > cases/three.jsonl
expect 0 'everything is as expected' 'test events of rules' "$bulkhead" content test good --tests cases
expect 0 '2 test events in 1 file; 1 of 3 rules have' 'of a pack, and how many' "$bulkhead" content test good.pack --tests cases
expect 0 '"passed":true' 'in JSON, too' "$bulkhead" content test good.pack --tests cases --json
expect 1 'Rule one (one) has no test event' '--complete wants all' "$bulkhead" content test good --tests cases --complete
{ test_event three true /tmp/b; test_event three false /dev/shm/b; test_event four true /x; echo '{"rule":"one"}'; } > cases/wrong.jsonl
expect 1 'cases/wrong.jsonl:1: Rule three (three) did not match: a note' 'an alert that misses' \
    "$bulkhead" content test good --tests cases
expect 1 'path starts with "/dev/shm/", any case: no' 'and why' "$bulkhead" content test good --tests cases
expect 1 'cases/wrong.jsonl:2: Rule three (three) matched, and must not' 'one that came' \
    "$bulkhead" content test good --tests cases
expect 1 'path starts with "/dev/shm/", any case: yes' 'and why' "$bulkhead" content test good --tests cases
expect 1 'cases/wrong.jsonl:3: the pack holds no rule four' 'an unknown rule' "$bulkhead" content test good --tests cases
expect 1 'cases/wrong.jsonl:4: says nothing that can be tested' 'a broken line' "$bulkhead" content test good --tests cases
expect 1 '✗ 4 findings' 'all of them' "$bulkhead" content test good --tests cases
expect 1 '"kind":"missed","rule":"three"' 'in JSON, too' "$bulkhead" content test good --tests cases --json
expect 1 '✗ 4 rules or list entries were refused' 'what is refused is a finding' "$bulkhead" content test mixed --tests cases/three.jsonl
printf '%s' "$said" | grep -q 'everything is' && result 'not ok' 'and not as expected' || result ok 'and not as expected'
expect 1 '"refused":4,"passed":false' 'in JSON, too' "$bulkhead" content test mixed --tests cases/three.jsonl --json
expect 1 'field' 'a broken rule fails the test' "$bulkhead" content test mixed --tests cases/three.jsonl
"$bulkhead" content match good.pack --events hour.jsonl --format json > expect.jsonl 2> /dev/null
expect 0 '4 matches were expected' 'what match printed is what is expected' \
    "$bulkhead" content test good --events hour.zst --expect expect.jsonl
printf '{"line":2,"rules":["three"]}\n{"line":3,"rules":[]}\n' > expect.jsonl
expect 1 'hour.zst:2: Rule three (three) did not match' 'a match that misses' \
    "$bulkhead" content test good --events hour.zst --expect expect.jsonl
expect 1 'hour.zst:4: Rule one (one) matched, and must not' 'one too many' \
    "$bulkhead" content test good --events hour.zst --expect expect.jsonl
expect 1 'expect.jsonl:2: says nothing that can be tested: it is about a line that holds no event' 'a line of no event' \
    "$bulkhead" content test good --events hour.zst --expect expect.jsonl
expect 1 'hour.zst:2: Rule one (one) is not silent on ordinary events: 2 of them' 'a false positive' \
    "$bulkhead" content test good --ordinary hour.zst
expect 0 '4 matches of rules that may speak there' 'tolerated' \
    "$bulkhead" content test good --ordinary hour.zst --silent-from critical
expect 0 '3 vectors of the pack' 'a pack has test events of its own' "$bulkhead" content test good
expect 1 "the pack's own test events: rules[0]: no test event shows" 'that have to show everything' \
    "$bulkhead" content test vague.yml
expect 1 'nothing was tested: there is no test event for this rule' 'not of one rule either' \
    "$bulkhead" content test good --rule one --tests cases/three.jsonl
expect 1 'there is no rule four' 'a rule that is not there' "$bulkhead" content test good --rule four --tests cases
expect 2 'belong together' 'events without expectations' "$bulkhead" content test good --events hour.zst
expect 2 'one pack, or rules' 'two packs' "$bulkhead" content test good.pack good.pack
expect 1 'nowhere' 'tests that are not there' "$bulkhead" content test good --tests nowhere

expect 0 '1 alert of 1 of 2 rules' 'a correlation in a replay' "$bulkhead" content replay chain.pack chain.jsonl
expect 0 '2 events within 90s for user=a; the last: process_exec' 'and why it fired' "$bulkhead" content replay chain.pack chain.jsonl
sequence() { # expect, user of the second
    printf '{"rule":"again","expect":%s,"events":[%s,%s]}\n' "$1" \
        '{"type":"process_exec","time":"2026-01-02T03:00:00Z","user":"a","command_line":"fail"}' \
        '{"type":"process_exec","time":"2026-01-02T03:01:00Z","user":"'"$2"'","command_line":"fail"}'
}
{ sequence true a; sequence false b; } > chain.tests
printf '{"rule":"first-id","expect":true,"event":{"type":"process_exec","command_line":"fail"}}\n' >> chain.tests
expect 0 '3 test events' 'sequences of events test correlations' "$bulkhead" content test chain --tests chain.tests
sequence true b > chain.tests
expect 1 'Again (again) did not match' 'and fail' "$bulkhead" content test chain --tests chain.tests
expect 0 'everything is as expected' 'expectations know them' sh -c \
    "'$bulkhead' content match chain.pack --events chain.jsonl --format json > chain.expect &&
     '$bulkhead' content test chain.pack --events chain.jsonl --expect chain.expect"
expect 1 'Again (again) is not silent' 'and ordinary events' "$bulkhead" content test chain.pack --ordinary chain.jsonl

# ── diff ──

mkdir other
rule one 'CommandLine|endswith: -x' | sed 's/high/low/' > other/one.yml
{ rule two 'Image: [/bin/sh, /bin/dash]'; echo ---; rule four 'Image|startswith: /dev/shm/'; } > other/more.yml
"$bulkhead" content build other -o other.pack > /dev/null
expect 0 '3 the same' 'a pack is itself' "$bulkhead" content diff good.pack good.pack
expect 1 '1 new, 1 gone, 2 changed, 0 the same' 'two packs' "$bulkhead" content diff good.pack other.pack
expect 1 '+ high          Rule four' 'a rule that is new' "$bulkhead" content diff good.pack other.pack
expect 1 '- high          Rule three' 'one that is gone' "$bulkhead" content diff good.pack other.pack
expect 1 'high → low' 'another level' "$bulkhead" content diff good.pack other.pack
expect 1 '    + path is "/bin/dash", any case' 'another question' "$bulkhead" content diff good.pack other.pack
expect 1 '"words":{"level":["high","low"]}' 'in JSON, too' "$bulkhead" content diff good.pack other.pack --json
rule one 'CommandLine|endswith: -x' | sed 's/condition: s/condition: not s/' > other/one.yml
"$bulkhead" content build other/one.yml -o not.pack > /dev/null
"$bulkhead" content build good/one.yml -o one.pack > /dev/null
expect 1 'asks the same, and concludes otherwise' 'another condition' "$bulkhead" content diff one.pack not.pack
mkdir chain2 && cp chain/*.yml chain2 && sed -i 's/gte: 2/gte: 3/' chain2/a.yml
"$bulkhead" content build chain2 -o chain2.pack > /dev/null
expect 1 '+ event_count within 90s: gte 3' 'another correlation' "$bulkhead" content diff chain.pack chain2.pack
expect 78 'no pack that could run' 'a pack that is none' "$bulkhead" content diff good.pack cut.pack
expect 2 'name two packs' 'one pack' "$bulkhead" content diff good.pack

# ── new ──

expect 0 "CommandLine: 'sh -x'" 'a rule out of the first event' "$bulkhead" content new --from-file hour.zst
expect 0 "Image: '/dev/shm/a'" 'out of that line' "$bulkhead" content new --from-file hour.zst:4
expect 1 'no event in line 1 of hour.zst: the first is in line 2' 'the line before the events' "$bulkhead" content new --from-file hour.zst:1
expect 1 'no event in line 3 of hour.zst' 'a line that is no event' "$bulkhead" content new --from-file hour.zst:3
expect 0 'new.jsonl' 'into a file' "$bulkhead" content new --from-file hour.jsonl:4 -o new.yml
expect 0 'everything is as expected' 'whose tests hold' "$bulkhead" content test new.yml --tests new.jsonl --complete
expect 1 'it is there already' 'which is not replaced' "$bulkhead" content new --from-file hour.jsonl -o new.yml
expect 1 'No such file' 'a file that is not there' "$bulkhead" content new --from-file nowhere:1
expect 2 'name one event' 'no event' "$bulkhead" content new
expect 2 'name one event' 'two events' "$bulkhead" content new --from 1 --last process_exec
expect 2 'no number of an event' 'a number that is none' "$bulkhead" content new --from x
expect 2 'did you mean file_open?' 'a typo in a type' "$bulkhead" content new --last file_opn
expect 69 'start it with' 'the stream without guard' "$bulkhead" content new --from 1 --home "$home"

# ── cost ──

expect 0 '3 of 3 rules' 'what rules cost at worst' "$bulkhead" content cost good.pack
expect 0 'command_line ends with "-x", any case' 'and which question' "$bulkhead" content cost good.pack
expect 0 '"worst_steps":' 'in JSON, too' "$bulkhead" content cost good.pack --json
expect 69 'start it with' 'live without guard' "$bulkhead" content cost --home "$home"
expect 2 'name one pack' 'two packs' "$bulkhead" content cost good.pack other.pack

# ── test events of the author's ──

mkdir tests
echo '{"rule":"three","expect":true,"event":{"type":"process_exec","path":"/dev/shm/a"}}' > tests/three.jsonl
echo '{"rule":"three","expect":false,"note":"near","event":{"category":"process_creation","fields":{"Image":"/dev/shm"}}}' >> tests/three.jsonl
expect 0 '3 rules' 'they go into the pack' "$bulkhead" content build good -o tested.pack --tests tests
expect 0 '4 test events' 'and are proven with it' "$bulkhead" content verify tested.pack
echo '{"rule":"three","expect":true,"event":{"type":"process_exec","path":"/dev/sh"}}' >> tests/three.jsonl
expect 1 'the rule does not say that about its test event 3' 'one that the rule does not match' \
    "$bulkhead" content build good -o x.pack --tests tests
echo '{"rule":"three"}' > tests/bad.jsonl
expect 1 'tests/bad.jsonl:1: a test event is' 'a line that is none' "$bulkhead" content build good -o x.pack --tests tests
expect 1 'cannot read nowhere' 'tests that are not there' "$bulkhead" content build good -o x.pack --tests nowhere

# ── what no test event shows ──

expect 0 'warning: no event was found in which its command_line decides' 'a field that never decides is named' \
    "$bulkhead" content build vague.yml good -o vague.pack
expect 1 'no test event shows that this field decides, whatever else is in it: command_line (rule vague)' \
    'the proof refuses such a pack' "$bulkhead" content verify vague.pack
expect 1 'metadata: no event was found in which its command_line decides' 'and --proven the rule' \
    "$bulkhead" content build vague.yml good -o vague.pack --proven
expect 0 'accepted: ' 'whose pack is then proven' "$bulkhead" content verify vague.pack

# ── the release gate ──

mkdir golden calm
{
    echo '{"type":"process_exec","time":"2026-11-21T10:00:00Z","path":"/usr/bin/apt","command_line":"apt upgrade"}'
    echo '{"type":"process_exec","time":"2026-11-21T10:30:00Z","path":"/bin/sh","command_line":"sh -x"}'
    echo '{"type":"process_exec","time":"2026-11-21T12:00:00Z","path":"/bin/sh","command_line":"sh"}'
} > golden/day.jsonl
release() { # name of the rule file, options
    file=$1
    shift
    rm -f out.pack
    "$bulkhead" content build "$file" -o out.pack --release --golden golden "$@"
    got=$?
    [ -e out.pack ] && echo 'it was written'
    return $got
}
rule calm 'Image: /opt/evil' > calm/calm.yml
rule loud 'Image: /bin/sh' > loud.yml
rule never '{Image: /a, Image|startswith: /b}' | sed 's/{{/{/; s/}}/}/' > never.yml
{ echo 'bulkhead: {action: block}'; rule blocks 'CommandLine|contains: upgrade' | sed 's/level: high/level: low/'; } > blocks.yml
sed 's/action: block/action: alert/' blocks.yml > quiet.yml

expect 0 'it was written' 'what is silent on healthy machines is released' release calm
expect 1 'release: rule Rule blocks (blocks) would block on a healthy machine: 1 time; first golden/day.jsonl:1: {"type":"process_exec"' \
    'what would block something there is not' release blocks.yml
expect 0 'it was written' 'that it only alerts, and low, is no fault' release quiet.yml
expect 1 '2 alerts of level medium or above in 0.33 hours' 'and not what alerts too often' release loud.yml --max-alerts-per-hour 0
expect 1 'rule Rule loud (loud) alerts: 2 times; first golden/day.jsonl:2: ' 'the rule is named' release loud.yml --max-alerts-per-hour 0
sed 's/^title: .*/title: "A\\u009b2J\\u202eB"/' loud.yml > drawing.yml
expect 1 'rule A\x9b2J\u{202e}B (loud) alerts' 'whose title draws nothing' release drawing.yml --max-alerts-per-hour 0
expect 0 'it was written' 'how often is a setting' release loud.yml --max-alerts-per-hour 6
echo '{"type":"process_exec","time":"2001-01-01T00:00:00Z","path":"/bin/true"}' > golden/clock.jsonl
echo '{"type":"process_exec","time":"2026-11-21T10:00:00Z","path":"/bin/true"}' >> golden/clock.jsonl
echo '{"type":"process_exec","time":"2026-11-21T09:00:00Z","path":"/bin/true"}' >> golden/clock.jsonl
expect 1 '2 alerts of level medium or above in 0.50 hours' 'one wrong clock makes no years of health' \
    release loud.yml --max-alerts-per-hour 3
rm golden/clock.jsonl
expect 1 'rules were refused' 'a pack that lacks a rule is not released' release mixed
expect 1 'can never match' 'nor one with a rule that does nothing' release never.yml
expect 1 'refused: ' 'nor one over a budget' release calm --max-event-cost 1000
cp good.pack out.pack
"$bulkhead" content build blocks.yml -o out.pack --release --golden golden > /dev/null 2>&1
cmp -s good.pack out.pack && result ok 'what was there is as it was' || result 'not ok' 'what was there is as it was'
expect 1 'cannot read content/golden: No such file or directory: nothing shows' 'the recordings of the source are not there' \
    "$bulkhead" content build calm -o out.pack --release
expect 1 'with --golden DIR' 'and which option names others' "$bulkhead" content build calm -o out.pack --release
expect 1 'holds no recorded event' 'no recordings' "$bulkhead" content build calm -o out.pack --release --golden calm
echo '{"bulkhead_recording":1}' > golden/cut.jsonl
expect 1 'golden/cut.jsonl does not show all of what happened: it ends without' 'a recording that was cut' release calm
echo '{"bulkhead_end":{"events":0,"lost":0}}' >> golden/cut.jsonl
expect 0 'it was written' 'a whole one' release calm
for hour in 10 11 12; do # as many as the series needs, but on three machines
    echo '{"type":"process_exec","time":"2026-11-21T10:00:00Z","path":"/bin/series"}' > golden/machine-$hour.jsonl
done
{
    rule series 'Image: /bin/series'
    printf -- '---\ntitle: Series\nid: many\nlevel: high\ncorrelation:\n'
    printf '    type: event_count\n    rules: [series]\n    timespan: 1h\n    condition: {gte: 3}\n'
} > series.yml
expect 0 'it was written' 'recordings are of different machines' release series.yml --max-alerts-per-hour 0
rm golden/machine-*
echo 'no event' >> golden/day.jsonl
expect 1 'golden/day.jsonl:4: not JSON' 'a recording that is none' release calm
expect 2 'a limit is a number' 'a limit that is none' release calm --max-memory x

echo "1..$number"
