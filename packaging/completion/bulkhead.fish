# fish completion for bulkhead

set -l commands run status tail record tree doctor scan drill content help
set -l types process_exec process_fork process_exit file_create file_modify file_rename file_link \
    file_unlink file_attribute file_open network_connect network_accept network_listen \
    process_trace credential_change module_load bpf_load mount unmount namespace_change \
    memfd_create alert health

complete -c bulkhead -f
set -l none "not __fish_seen_subcommand_from $commands"
complete -c bulkhead -n $none -a run -d 'watch this machine and print alerts'
complete -c bulkhead -n $none -a status -d 'how Bulkhead is doing'
complete -c bulkhead -n $none -a tail -d 'events and alerts as they happen'
complete -c bulkhead -n $none -a record -d 'write events to a compressed file'
complete -c bulkhead -n $none -a tree -d 'a process, its ancestors and its descendants'
complete -c bulkhead -n $none -a doctor -d 'what this machine lets Bulkhead see and do'
complete -c bulkhead -n $none -a scan -d 'ask files whether YARA rules match'
complete -c bulkhead -n $none -a drill -d 'replay the content fault of July 2024'
complete -c bulkhead -n '__fish_seen_subcommand_from drill' -a channel-291 -l json -d 'the report as JSON'
complete -c bulkhead -n $none -a content -d 'build, test, compare and explain content'
complete -c bulkhead -n $none -a help -d 'explain a command'
complete -c bulkhead -n $none -l version -d 'print the version'
complete -c bulkhead -l help -d explain

complete -c bulkhead -n '__fish_seen_subcommand_from run status tail record tree doctor scan' -l home -r -F -d 'the instance'
complete -c bulkhead -n '__fish_seen_subcommand_from run status tree doctor scan' -l json -d 'answer in JSON'
complete -c bulkhead -n '__fish_seen_subcommand_from run' -l content -r -F -d 'detection content'
complete -c bulkhead -n '__fish_seen_subcommand_from tail' -l events -d 'events only'
complete -c bulkhead -n '__fish_seen_subcommand_from tail' -l alerts -d 'alerts only'
complete -c bulkhead -n '__fish_seen_subcommand_from tail' -l type -x -a "$types" -d 'this type only'
complete -c bulkhead -n '__fish_seen_subcommand_from tail' -l watch -r -F -d 'also see opens of files'
complete -c bulkhead -n '__fish_seen_subcommand_from tail' -l format -x -a 'text json ocsf' -d format
set -l record '__fish_seen_subcommand_from record'
complete -c bulkhead -n $record -s o -l output -r -F -d 'the file to write'
complete -c bulkhead -n $record -l types -x -a "(__fish_complete_list , 'string split \" \" \"$types\"')" -d 'these types only'
complete -c bulkhead -n $record -l watch -r -F -d 'also see opens of files'
complete -c bulkhead -n $record -l past -d 'begin with what guard still holds'
complete -c bulkhead -n $record -l for -x -a '90s 15m 1h 1d' -d 'end after this time'
complete -c bulkhead -n $record -l max-size -x -a '100M 1G' -d 'end at this size'
complete -c bulkhead -n '__fish_seen_subcommand_from tree' -x -a '(__fish_complete_pids)'
set -l scan '__fish_seen_subcommand_from scan'
complete -c bulkhead -n $scan -F
complete -c bulkhead -n $scan -l rules -r -F -d 'YARA rules, or a pack'
complete -c bulkhead -n $scan -l max-size -x -d 'leave out larger files (MiB)'
complete -c bulkhead -n $scan -l time -x -d 'seconds for a file'
complete -c bulkhead -n $scan -l jobs -x -d 'workers at once'
complete -c bulkhead -n $scan -l one-file-system -d 'stay on the file system'
complete -c bulkhead -n '__fish_seen_subcommand_from help' -a "$commands"

set -l content '__fish_seen_subcommand_from content'
set -l undecided "$content; and not __fish_seen_subcommand_from build verify match replay test diff new cost explain load rollback"
complete -c bulkhead -n $undecided -a build -d 'compile Sigma rules and lists of indicators into a pack'
complete -c bulkhead -n $undecided -a verify -d 'prove a pack'
complete -c bulkhead -n $undecided -a match -d 'try a pack on recorded events'
complete -c bulkhead -n $undecided -a replay -d 'say what a pack would have done'
complete -c bulkhead -n $undecided -a test -d 'hold rules against what they should do'
complete -c bulkhead -n $undecided -a diff -d 'say what makes two packs different'
complete -c bulkhead -n $undecided -a new -d 'write a rule that matches one event'
complete -c bulkhead -n $undecided -a cost -d 'say what rules cost'
complete -c bulkhead -n $undecided -a explain -d 'say what a rule asks'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from build verify match replay test diff cost load" -F
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from explain; and test (count (commandline -opc)) -eq 3" -F
complete -c bulkhead -n $undecided -a load -d 'make a pack active without a gap'
complete -c bulkhead -n $undecided -a rollback -d 'make the content before active again'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from build" -s o -r -F -d 'the pack to write'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from build" -l report -x -a 'text json' -d 'format of the report'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from build" -l any-product -d 'take rules of any product'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from build" -l strict -d 'write no pack where a rule is refused'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from build" -l valid-at -x -d 'leave out indicators that are valid until before this time'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from build" -l proven -d 'refuse rules that no test event shows'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from build" -l tests -r -F -d 'test events of the authors'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from build" -l release -d 'write no pack that may not be released'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from build" -l golden -r -F -d 'recordings of healthy machines'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from build" -l max-alerts-per-hour -x -d 'on these recordings'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from build verify" -l max-event-cost -x -d 'steps for one event'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from build verify" -l max-memory -x -d 'MiB'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from build verify" -l max-size -x -d 'MiB'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from verify" -l max-time -x -d 'seconds'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from verify" -l json -d 'answer in JSON'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from match" -s e -l events -r -F -d 'recorded events'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from match" -l names -x -a 'sigma bulkhead' -d 'names of the fields'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from match" -l format -x -a 'text json' -d 'format of the matches'

set -l replay "$content; and __fish_seen_subcommand_from replay"
complete -c bulkhead -n $replay -l all -d 'also rules that matched nothing'
set -l test "$content; and __fish_seen_subcommand_from test"
complete -c bulkhead -n $test -l tests -r -F -d 'test events'
complete -c bulkhead -n $test -l events -r -F -d 'recorded events'
complete -c bulkhead -n $test -l expect -r -F -d 'what matches them'
complete -c bulkhead -n $test -l ordinary -r -F -d 'events to be silent on'
complete -c bulkhead -n $test -l silent-from -x -a 'informational low medium high critical' -d 'from which level on'
complete -c bulkhead -n $test -l rule -x -d 'try this rule alone'
complete -c bulkhead -n $test -l complete -d 'each rule needs both kinds of test'
complete -c bulkhead -n $test -l any-product -d 'take rules of any product'
set -l new "$content; and __fish_seen_subcommand_from new"
complete -c bulkhead -n $new -l from -x -d 'the event of this number'
complete -c bulkhead -n $new -l last -x -a "$types" -d 'the last event of this type'
complete -c bulkhead -n $new -l from-file -r -F -d 'an event of a recording'
complete -c bulkhead -n $new -s o -l output -r -F -d 'the rule to write'
complete -c bulkhead -n $new -l tests -r -F -d 'its test events'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from cost" -l all -d 'every rule'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from replay test new" -l names -x -a 'sigma bulkhead' -d 'names of the fields'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from replay test diff cost" -l json -d 'answer in JSON'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from new cost" -l home -r -F -d 'the instance'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from load rollback" -l json -d 'answer in JSON'
complete -c bulkhead -n "$content; and __fish_seen_subcommand_from load rollback" -l home -r -F -d 'the instance'
