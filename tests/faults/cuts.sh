# Input that ends too early, at every byte or at some: status 2 and a message. What may be taken for whole is NDJSON cut
# behind a record, and what has lost nothing but its last line end.
# shellcheck shell=sh disable=SC2034,SC2086,SC2154
check_cut() { # FILE BYTES: sets `problem`
    head -c "$2" "$1" >"cut.$input"
    prepare
    : >said
    attempt /dev/null
    hear
    if [ "$status" -gt 2 ]; then problem="${problem:-at byte $2: exit $status}"; fi
    if [ "$status" -eq 2 ] && [ $lines -lt 1 ]; then problem="${problem:-at byte $2: nothing is said}"; fi
    if [ "$status" -eq 2 ] && ! old_stands; then problem="${problem:-at byte $2: $target is not what it was}"; fi
    if [ "$status" -lt 2 ] && ! may_end_there "$1" "$2"; then problem="${problem:-at byte $2 of $size: exit $status}"; fi
    tidy
}

# Is what is left complete?
may_end_there() { # FILE BYTES
    [ "$2" -ge $((size - 1)) ] && [ "$status" -eq "$plain" ] && return 0
    case $1 in
    *.ndjson)
        # Whole lines; the next byte is a line end, or the last one was.
        [ "$2" -eq 0 ] && return 0
        case $(tail -c +"$2" "$1" | head -c 2 | od -An -c) in *'\n'*) true ;; *) false ;; esac
        ;;
    *.hl7) true ;; # HL7 v2 has no end mark
    bag* | in/bag*) [ "$status" -eq 1 ] ;; # a bag that is not valid
    *) [ "$2" -eq 0 ] ;; # nothing at all holds no records
    esac
}

check_cuts() { # NAME FILE STEP
    problem=
    size=$(wc -c <"$2")
    form file "cut.$input"
    words=$(echo "$words" | sed "s|in/cut|cut|")
    at=0
    while [ $at -lt "$size" ]; do
        check_cut "$2" $at
        at=$((at + $3))
    done
    check_cut "$2" $((size - 1))
    if [ -n "$problem" ]; then not_ok "$1" "$problem"; else ok "$1"; fi
}

# About so many cuts of each file; every byte with FAULT_ALL, and for the command that starts soonest.
stride() { # FILE CUTS
    size=$(wc -c <"$1")
    step=$((size / $2 + 1))
    [ -n "$FAULT_SHIM" ] || step=$((step * 5)) # a sanitizer takes its time
    [ -z "${FAULT_ALL-}" ] || step=1
}

if [ -f "in/$input" ]; then case $input in *.db | tally.json | *.gz) ;; *)
    plain_run file /dev/null "$input"
    [ "$name" != path ] || input=few.ndjson
    stride "in/$input" 15
    [ "$input" != few.ndjson ] || [ -z "$FAULT_SHIM" ] || step=1
    check_cuts "$name/a cut input" "in/$input" $step
    if reads_records; then
        for packed in gz zst xz bz2; do
            stride "in/$input.$packed" 3
            [ "$name" != import-fhir ] || stride "in/$input.$packed" 80
            check_cuts "$name/a cut input, $packed" "in/$input.$packed" $step
        done
    fi
    said_nothing "$name/no value when the input is cut"
    ;;
esac fi
