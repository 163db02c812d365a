# Stopped from outside: nothing under the final name, and after all but SIGKILL nothing beside it.
# shellcheck shell=sh disable=SC2034,SC2086,SC2154

# A shell tells of the signal that ended a program by 128 and its number.
number_of() { case $1 in HUP) echo 1 ;; INT) echo 2 ;; KILL) echo 9 ;; TERM) echo 15 ;; esac; }

# What a run that was ended by $error left.
judge_end() {
    why=
    [ "$status" -eq $((128 + $(number_of "$error"))) ] || blame "exit $status"
    if leftover; then
        case $error$template in
        KILL*) rm -rf product/.[!.]* tmp/* ;; # nobody was there to clean up
        *) blame "$file is left" ;;
        esac
    fi
    # Behind the rename it is there, and whole.
    old_stands || same_target || blame "$target is neither old nor whole"
    read -r _ path <hit
    case $begun$template in yes*TALLY*) late=yes judge_tally ;; esac
    judge_ledger
    case $template in *NEW* | *OUT/*) clear_products ;; esac
}
same_target() { [ -z "$target" ] || diff -r "$target" "plain/$target" >/dev/null 2>&1; }

begun=yes # the run: options are known

# At every call of a kind that is made on the way to the final name: by the shim, and so at the same moments each time.
at_calls() { # NAME CALL...
    title=$1
    shift
    problem=
    hits=0
    for call in "$@"; do
        nth=1
        while :; do
            prepare
            attempt /dev/null
            [ -s hit ] || break
            hits=$((hits + 1))
            judge_end
            problem=${problem:-${why:+at $nth of $(cat hit): $why}}
            nth=$((nth + nth / 2 + 1))
        done
        tidy
    done
    if [ -n "$problem" ]; then not_ok "$title" "$problem"; elif [ $hits -gt 0 ]; then ok "$title"; fi
}

# While it waits for more input on a pipe; SIGINT is ignored by what a shell runs in the background.
while_reading() { # SIGNAL SECONDS|begun
    error=$1
    prepare
    cat "in/$input" >half
    $words <slow >out 2>err &
    victim=$!
    exec 9>slow
    head -c $(($(wc -c <half) * 2 / 3)) half >&9
    begun=
    case $2$template in
    begun*TALLY*)
        polls=0
        until [ ! -e product/tally ] || [ $polls -ge 1000 ]; do
            sleep 0.01
            polls=$((polls + 1))
        done
        begun=yes
        ;;
    begun*) sleep 0.04 ;;
    *) sleep "$2" ;;
    esac
    kill -s "$1" $victim
    wait $victim 2>/dev/null
    status=$?
    exec 9>&-
    runs=$((runs + 1))
    judge_end
    problem=${problem:-${why:+after $2, by SIG$1: $why}}
}

plain_run file /dev/null "$input"
if [ -n "$preload" ]; then
    form file "$input"
    for error in TERM KILL; do
        at_calls "$name/SIG$error at any call" open write pwrite fsync link rename
    done
    for error in INT HUP; do at_calls "$name/SIG$error at any call" link rename; done
else
    echo "skip - $PREFIX/$name/signals at any call: nothing can stand between a sanitizer and libc"
fi
if reads_records && [ "$name" != tally ]; then
    call='' nth='' error=''
    preload=
    mkfifo slow
    form stdin "$input"
    problem=
    for moment in 0.00 0.01 begun; do
        for signal in TERM HUP KILL; do while_reading $signal $moment; done
    done
    if [ -n "$problem" ]; then not_ok "$name/signals while it reads" "$problem"; else ok "$name/signals while it reads"; fi
fi
