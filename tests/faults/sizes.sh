# Reads and writes that do less than they were asked for, or that must be asked again: the same result.
# shellcheck shell=sh disable=SC2034,SC2086,SC2154
check_same() { # WHAT STDIN
    prepare
    attempt "$2"
    if [ "$status" -ne "$plain" ]; then
        problem="${problem:-$1: exit $status, not $plain: $(head -n 1 err)}"
    elif ! same_products || ! cmp -s err plain/err; then
        problem=${problem:-"$1: other output"}
    fi
    tidy
}

# All sizes for one way to be given the input.
check_sizes() { # NAME FORM INPUT STDIN READS WRITES
    problem=
    plain_run "$2" "$4" "$3"
    for read in $5; do check_same "reads of $read" "$4"; done
    read=''
    for write in $6; do check_same "writes of $write" "$4"; done
    write=4097 read=4097 weak=yes
    check_same "interrupted calls" "$4"
    write='' read='' weak=''
    words=$(echo "$words" | sed 's/-j 1/-j 3/')
    check_same "three threads" "$4"
    if [ -n "$problem" ]; then not_ok "$1" "$problem"; else ok "$1"; fi
}

# A megabyte byte by byte takes seconds, and shows nothing that the other rows do not.
[ "$input" = shared.ndjson ] && least=777 || least=1
check_sizes "$name/calls of any size" file "$input" /dev/null "$least 4095 4096 4097" "$least 4095"
case $template in
*-o\ OUT*) check_sizes "$name/calls of any size, to stdout" stdout "$input" /dev/null "" "$least 4095" ;;
esac
if reads_records; then
    mkfifo pipe
    problem=
    plain_run stdin "in/$input" "$input"
    for read in $least 4096; do
        cat "in/$input" >pipe &
        check_same "reads of $read" pipe
        wait
    done
    read='' weak=yes
    cat "in/$input" >pipe &
    check_same "calls that would block" pipe
    wait
    weak=''
    if [ -n "$problem" ]; then not_ok "$name/a pipe" "$problem"; else ok "$name/a pipe"; fi
    for packed in gz zst xz bz2; do
        check_sizes "$name/calls of any size, $packed" file "$input.$packed" /dev/null "$least 4096" ""
    done
fi
