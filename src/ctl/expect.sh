# Read by the tests of the command line: TAP, and a command that is run and judged by what it says.

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
