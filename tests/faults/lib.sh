# For the parts of tests/faults: one command of the table, run again and again. The working folder is the task's own:
#
#   in/  inputs    product/  what the command makes    ledger/  its database    tmp/  TMPDIR    plain/  the plain run
#
# Thousands of runs: what the shell can do by itself is not left to other programs.
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2086,SC2154 # parts set and use each other's variables

failed=0
runs=0
ok() { echo "ok - $PREFIX/$1"; }
not_ok() { # NAME WHY
    echo "not ok - $PREFIX/$1: $2"
    failed=1
}

# ---- a command of the table ----

# Sets `input`, `program` and `template`, and the file or folder that is its `target`.
take_command() { # NAME
    while read -r row input template; do
        [ "$row" = "$1" ] && break
    done <"$FAULTS/commands"
    program=${template%% *}
    target=
    for word in $template; do
        case $word in OUT*) target=product/out${word#OUT} ;; esac
    done
    target=${target%/}
    case $template in *DB*) ledger=ledger/charts.db ;; *) ledger= ;; esac
    mkdir -p product ledger tmp plain
    ln -sfn "$INPUTS" in
}

reads_records() { case $input in *.ndjson | *.json | *.hl7) true ;; *) false ;; esac; }

# The words of the command as it is run: FORM is `file`, `stdout` (no -o) or `stdin`.
form() { # FORM INPUT
    words=
    skip=
    for word in $template; do
        case $1:$word in
        stdout:-o) skip=yes && continue ;;
        stdin:IN) word=- ;;
        *:IN) word=in/$2 ;;
        *:OUT*) word=product/out${word#OUT} ;;
        *:NEW) word=product ;;
        *:TALLY) word=product/tally ;;
        *:REJECT) word=product/reject ;;
        *:DB) word=ledger/charts.db ;;
        esac
        [ -n "$skip" ] || words="$words $word"
        skip=
    done
}

# ---- a run ----

# What stands there before: so it must stand there after a run that failed.
prepare() {
    case $template in
    *OUT/*)
        if [ ! -d product/out ]; then mkdir product/out; fi
        echo old >product/out/bagit.txt
        ;;
    *OUT*) echo old >"$target" ;;
    esac
    echo '{"command":"old"}' >product/tally
    : >hit
}

# Runs $words with the fault that is set by call, nth, error, on, read, write, weak, named.
call='' nth='' error='' on='' read='' write='' weak='' named=''
attempt() { # STDIN
    runs=$((runs + 1))
    # shellcheck disable=SC2086 # words
    LD_PRELOAD=$preload FAULT_CALL=$call FAULT_NTH=$nth FAULT_ERROR=$error FAULT_ON=$on FAULT_READ=$read \
        FAULT_WRITE=$write FAULT_WEAK=$weak FAULT_NAMED=$named FAULT_HIT=hit $words <"$1" >out 2>err
    status=$?
}

# Forgets what a run made.
clear_products() {
    rm -rf product ledger
    mkdir product ledger
}

# The same, where `prepare` cannot put back what was there before.
tidy() {
    case $template in *NEW* | *OUT/* | *DB*) clear_products ;; esac
}

keep_plain() {
    rm -rf plain
    mkdir plain
    cp out err plain
    cp -R product plain
    plain=$status
}

same_products() {
    if [ -n "$target" ]; then diff -r "$target" "plain/$target" >/dev/null 2>&1 || return 1; fi
    case $template in *NEW*) diff -rx tally product plain/product >/dev/null || return 1 ;; esac
    cmp -s out plain/out
}

# Is what stood under the name there still, and nothing else?
old_stands() {
    case $template in
    *OUT/*) [ -f product/out/bagit.txt ] && IFS= read -r line <product/out/bagit.txt && [ "$line" = old ] && [ ! -e product/out/data ] ;;
    *OUT*) IFS= read -r line <"$target" && [ "$line" = old ] ;;
    esac
}

# The first file that should not be there.
leftover() {
    for file in product/* product/.[!.]* tmp/* tmp/.[!.]*; do
        case $file in
        product/out* | product/tally | product/reject) ;;
        *) if [ -e "$file" ]; then return 0; fi ;;
        esac
    done
    return 1
}

# Sets `line` to the first of stderr and `lines` to how many there are; all are remembered.
hear() {
    lines=0
    line=
    while IFS= read -r text || [ -n "$text" ]; do
        [ $lines -gt 0 ] || line=$text
        lines=$((lines + 1))
        last=$text
        printf '%s\n' "$text" >>said
    done <err
}

# No value of a record was said in all of the task.
said_nothing() { # NAME
    if [ ! -s said ]; then return; fi
    if grep -qF -f "$INPUTS/values" said; then
        not_ok "$1" "a record's value on stderr: $(grep -m1 -F -f "$INPUTS/values" said)"
    else
        ok "$1"
    fi
    : >said
}

blame() { why="${why:+$why; }$1"; }

# May there be such a line behind the first, or instead of it?
known_line() { # LINE
    case $1 in
    *': nothing is unpacked') true ;; # what became of it, behind the reason
    'Fatal Internal Error in libarchive: '*) [ "$call" = memory ] ;; # its own words
    *) false ;;
    esac
}

# A run that was hit and failed: what is wrong with it, in `why`.
judge_failure() {
    why=
    hear
    read -r _ path <hit
    # What a library cannot bear is not ours; but nothing is left behind.
    if { [ "$status" -eq 139 ] || [ "$status" -eq 134 ]; } && harmless "crash" "${path##*/}" "$program" && old_stands && ! leftover; then return; fi
    [ $lines -eq 1 ] || { [ $lines -eq 2 ] && { known_line "$last" || known_line "$line"; }; } || blame "$lines lines on stderr: $(tr '\n' '/' <err)"
    case $line in chart*:\ *[a-z]*) ;; *) known_line "$line" || blame "stderr is \"$line\"" ;; esac
    [ "$status" -eq 2 ] || blame "exit $status: $line"
    late=
    # The folder is synced when the file is there. When all else is done the tally is written (which has no name
    # meanwhile), and the ledger told.
    case $call:$path in memory:* | */.tally.* | */product/#*' (deleted)' | *:product | *:product/ | */product | */charts.db* | *:/dev/null) late=yes ;; esac
    old_stands || { [ -n "$late" ] && diff -r "${target:-out}" "plain/${target:-out}" >/dev/null 2>&1; } ||
        blame "$target is neither old nor whole"
    # nftw(3), which removes a folder, wants memory, too.
    if [ "$call$on" = memoryyes ]; then rm -rf product/.out.*; fi
    if leftover && ! { [ -n "$late" ] && [ "${template#*NEW}" != "$template" ]; }; then blame "$file is left"; fi
    case $template in
    *TALLY*)
        judge_tally
        ;;
    esac
    case $template in *NEW*) clear_products ;; esac
}

# The books are those of this run, or there are none: what an earlier one left goes when the options are known. Until then
# there is nothing that could fail but memory, and the look at what is there.
judge_tally() {
    if [ ! -e product/tally ]; then return; fi
    IFS= read -r line <product/tally
    case $late$line in
    yes*'"status":0'* | *'"status":2'*) ;;
    *'"old"'*)
        case $call:$path in
        memory:* | open:*tally | read:*tally) ;;
        *) blame "the tally is still that of an earlier run" ;;
        esac
        ;;
    *) blame "the tally says $line" ;;
    esac
}

# Is it known that this fault does no harm? (CALL PATH PROGRAM)
harmless() {
    while read -r a_call a_file a_program _; do
        # shellcheck disable=SC2254 # patterns
        case "$1 $2 $3" in $a_call\ $a_file\ $a_program) return 0 ;; esac
    done <"$FAULTS/harmless"
    return 1
}

# A run that was hit and went well all the same.
judge_success() {
    read -r a_call path <hit
    why=
    hear
    if [ "$status" -ne "$plain" ]; then
        { harmless "$call" "${path##*/}" "$program" && old_stands; } || blame "exit $status, $lines lines: $line"
        return
    fi
    if ! same_products; then blame "exit $status, and other output"; fi
    if leftover && [ "${template#*NEW}" = "$template" ]; then blame "$file is left"; fi
    [ "$call" = memory ] || [ "$call" = thread ] || harmless "$call" "${path##*/}" "$program" ||
        blame "exit $status though $call of $path failed; harmless does not say why"
    case $template in *NEW* | *OUT/*) clear_products ;; esac
}

# After a fault the ledger is sound.
judge_ledger() {
    if [ -z "$ledger" ] || [ ! -s $ledger ]; then return; fi
    # Where it failed before the first commit there is none yet. Killed before that, there is a journal that only who
    # may write can play back: the next release does.
    if ! chart-release --check-ledger -q --db $ledger >/dev/null 2>err.ledger && grep -q 'readonly' err.ledger; then
        chart-release -q --to Mercy --purpose TREAT --db $ledger in/few.ndjson >/dev/null 2>&1
        chart-release --check-ledger -q --db $ledger >/dev/null 2>err.ledger
    fi
    [ ! -s err.ledger ] || grep -q 'no ledger in it' err.ledger ||
        blame "the ledger is not sound: $(cat err.ledger)"
    rm -f ledger/*
}

# One call that fails after the other, until a run is not hit. `all` of the first, then in growing steps.
sweep() { # NAME ALL FORM STDIN
    problem=
    hits=0
    nth=1
    form "$3" "$input"
    while :; do
        prepare
        attempt "$4"
        [ -s hit ] || break
        hits=$((hits + 1))
        if [ "$status" -lt 2 ]; then judge_success; else judge_failure; fi
        judge_ledger
        if [ -n "$why" ]; then
            problem="${problem:-at call $nth of $(cat hit): $why}"
            [ -z "${FAULT_DEBUG-}" ] || echo "# $1: $nth of $(cat hit): $why" >&2
            clear_products
        fi
        if [ "$nth" -lt "$2" ] || [ -n "${FAULT_ALL-}" ]; then nth=$((nth + 1)); else nth=$((nth + nth / 2 + 1)); fi
    done
    [ "$status" -eq "$plain" ] && same_products || problem=${problem:-"the run that was not hit differs"}
    tidy
    if [ -n "$problem" ]; then not_ok "$1" "$problem"; elif [ $hits -gt 0 ]; then ok "$1"; fi
}

# The run that all others are held against.
plain_run() { # FORM STDIN INPUT
    call='' nth='' error='' on='' read='' write='' weak=''
    clear_products
    form "$1" "$3"
    prepare
    attempt "$2"
    keep_plain
    clear_products
}
