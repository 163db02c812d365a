# Five steps, of which one dies or fails: their tallies say no, whichever it was and whenever. Undisturbed they say yes.
# Yesterday's tallies, of the same records, are there: where a step dies, its own must not stand in for today's.
# shellcheck shell=sh disable=SC2034,SC2086,SC2154
mkdir -p tmp

# Runs a step; where it is the victim, with the fault.
step() { # NUMBER COMMAND...
    number=$1
    shift
    if [ "$number" = "$victim" ]; then
        LD_PRELOAD=$preload FAULT_CALL=$call FAULT_NTH=$nth FAULT_ERROR=$error FAULT_HIT=hit "$@" --tally "$number"
    else
        LD_PRELOAD=$preload "$@" --tally "$number" # which does not wait for the disk
    fi
}

all_five() {
    rm -f out.zip ledger.db*
    ln -f yesterday/* .
    : >hit
    runs=$((runs + 5))
    step 1 chart-import -q "$INPUTS/charts.ndjson" 2>>err |
        step 2 chart-audit --pass -q --as-of 2026-06-30 --fail-on never 2>>err |
        step 3 chart-classify -q 2>>err |
        step 4 chart-release -q --as-of 2026-06-30 --to Mercy --purpose TREAT --db ledger.db 2>>err |
        step 5 chart-archive create -q --as-of 2026-06-30 out.zip 2>>err
}

# None are yesterday's; but a step that had no memory to look at its options, or could not look at its books, does not
# know of them.
check_books() {
    read -r _ path <hit
    for number in 1 2 3 4 5; do
        # shellcheck disable=SC3013 # -ef is in every sh that we know
        if ! [ $number -ef yesterday/$number ]; then continue; fi
        case $call:$path in memory:* | read:*/$victim) ;; *) false ;; esac && [ $number = "$victim" ] || problem=${problem:-"at $nth of $(cat hit): books $number are yesterday's"}
        rm $number
    done
}

verdict() {
    chart-tally -q 1 2 3 4 5 >out 2>err.tally
    status=$?
}

: >err
mkdir yesterday
for number in 1 2 3 4 5; do : >yesterday/$number; done
victim=none
all_five
verdict
mv out.zip whole.zip
mv 1 2 3 4 5 yesterday
if [ "$status" -eq 0 ]; then ok "pipeline/undisturbed, the tallies say yes"; else not_ok "pipeline/undisturbed" "exit $status"; fi

if [ -z "$preload" ]; then
    echo "skip - $PREFIX/pipeline/one of five dies: nothing can stand between a sanitizer and libc"
else
    for victim in 1 2 3 4 5; do
        for error in KILL TERM EIO; do
            problem=
            hits=0
            calls='read write rename fsync'
            [ $error = TERM ] || calls="$calls memory"
            for call in $calls; do
                nth=1
                while :; do
                    all_five
                    [ -s hit ] || break
                    hits=$((hits + 1))
                    check_books
                    verdict
                    read -r _ path <hit
                    # Behind the rename of the tally all is done and booked, but for its folder's sync.
                    case $call:$path in fsync:"$PWD") wanted='[012]' ;; *) wanted='[12]' ;; esac
                    # shellcheck disable=SC2254
                    case $status in
                    $wanted) ;;
                    # A call may fail without harm: then the bag is the same.
                    *) cmp -s out.zip whole.zip || problem=${problem:-"at $nth of $(cat hit): exit $status"} ;;
                    esac
                    nth=$((nth * 4 + 1))
                done
            done
            title="pipeline/step $victim of five, $error at any call: the tallies say no"
            [ $hits -gt 3 ] || problem=${problem:-"only $hits faults"}
            if [ -n "$problem" ]; then not_ok "$title" "$problem"; else ok "$title"; fi
        done
    done
fi

# Killed from outside, at moments that no shim chooses.
named() { # NAME COMMAND...: the process tells who it is
    # shellcheck disable=SC2016
    exec sh -c 'echo $$ >"pid.$1" && shift && exec "$@"' sh "$@"
}

problem=
mkfifo slow
for name in import audit classify release archive; do
    for moment in 0.001 0.005 0.01 0.02; do
        rm -f 1 2 3 4 5 out.zip pid.*
        # The first step waits for the pipe, so that all five are there.
        named import chart-import -q --tally 1 slow 2>/dev/null |
            named audit chart-audit --pass -q --fail-on never --tally 2 2>/dev/null |
            named classify chart-classify -q --tally 3 2>/dev/null |
            named release chart-release -q --to Mercy --purpose TREAT --db ledger.db --tally 4 2>/dev/null |
            named archive chart-archive create -q --tally 5 out.zip 2>/dev/null &
        exec 9>slow
        head -c 20000 "$INPUTS/charts.ndjson" >&9
        until [ -s pid.$name ]; do sleep 0.01; done
        sleep $moment
        kill -9 "$(cat pid.$name)"
        (trap '' PIPE && tail -c +20001 "$INPUTS/charts.ndjson" >&9) 2>/dev/null
        exec 9>&-
        wait
        rm -f ledger.db*
        runs=$((runs + 5))
        verdict
        case $status in [12]) ;; *) problem=${problem:-"$name after $moment s: exit $status"} ;; esac
    done
done
if [ -n "$problem" ]; then not_ok "pipeline/one is killed while it waits" "$problem"; else ok "pipeline/one is killed while it waits"; fi
