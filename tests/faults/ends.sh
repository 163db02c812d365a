# Nobody takes what is written, nothing is there to read.
# shellcheck shell=sh disable=SC2034,SC2086,SC2094,SC2154
preload=
# The last run ended so, and said so in one line where that is a fault.
expect() { # NAME STATUS
    hear
    why=
    [ "$status" -eq "$2" ] || blame "exit $status, not $2"
    if [ "$2" -eq 2 ] && [ $lines -ne 1 ]; then blame "$lines lines on stderr: $line / $last"; fi
    if leftover && ! { [ "$status" -lt 2 ] && [ "${template#*NEW}" != "$template" ]; }; then blame "$file is left"; fi
    if [ -n "$why" ]; then not_ok "$1" "$why"; else ok "$1"; fi
    clear_products
}
# Replaces a word of the command.
swap() { words=$(echo "$words " | sed "s|$1|$2|"); }
start() { : >out && : >err && prepare && runs=$((runs + 1)); }

plain_run stdout /dev/null "$input"
size=$(wc -c <plain/out)
form stdout "$input"
if [ "$size" -gt 0 ]; then
    start
    $words >/dev/full 2>err
    status=$?
    expect "$name/stdout is full" 2
    start
    $words >&- 2>err
    status=$?
    expect "$name/stdout is closed" 2
    start
    { $words 2>err; echo $? >status; } | :
    # What fits into the pipe may have gone before the reader did.
    read -r status <status
    case $status in 141 | "$plain") wanted=$status ;; *) wanted=141 ;; esac
    expect "$name/the reader goes away" "$wanted"
    mkfifo gone
    for trapped in no yes; do
        # The pipe has a reader while it is opened, and none when it is written to.
        start
        (
            if [ $trapped = yes ]; then trap '' PIPE; fi
            exec 7<>gone 8>gone 7<&-
            $words >&8 2>err
        )
        status=$?
        hear
        why=
        [ $status -eq 141 ] || blame "exit $status, not 141"
        [ $lines -eq 0 ] || blame "$line"
        [ $trapped = no ] && what=default || what=ignored
        if [ -n "$why" ]; then not_ok "$name/no reader, SIGPIPE $what" "$why"; else ok "$name/no reader, SIGPIPE $what"; fi
        clear_products
    done
    rm -f gone
fi
# What is rejected only is written to --reject.
{ printf 'MSH|nothing\r{"no":"resource"}\n'; cat "in/$input" 2>/dev/null; } >bad.hl7
{ printf '{"no":"resource"}\n'; cat "in/$input" 2>/dev/null; } >bad.json
full() { # OPTION INPUT
    form file "$input"
    swap "product/$1" /dev/full
    swap "in/$input" "$2"
    start
    $words >out 2>err
    status=$?
    sed '/: cannot write: /!d' err >full
    mv full err
    expect "$name/--$1 is full" 2
}
case $template in *TALLY*) full tally "in/$input" ;; esac
case $template in
*REJECT*) case $input in *.hl7) full reject bad.hl7 ;; *) full reject bad.json ;; esac ;;
esac
case $template in
*-o\ OUT*)
    form file "$input"
    swap 'product/out[^ ]*' /dev/full
    start
    $words >out 2>err
    status=$?
    expect "$name/-o is full" $((size > 0 ? 2 : plain))
    ;;
esac
form file "$input"
plain_run file /dev/null "$input"
start
$words <&- >out 2>err
status=$?
expect "$name/stdin is closed, and not read" "$plain"
start
$words 2>&- >out </dev/null
status=$?
expect "$name/stderr is closed" "$plain"
if reads_records && [ "$name" != tally ]; then
    form stdin "$input"
    start
    $words <&- >out 2>err
    status=$?
    expect "$name/stdin is closed" 2
fi
mkdir folder
for bad in folder missing unreadable; do
    [ $bad != unreadable ] || { : >unreadable && chmod 0 unreadable; }
    if [ $bad = unreadable ] && [ -r unreadable ]; then
        echo "skip - $PREFIX/$name/input that is unreadable: root reads everything"
        continue
    fi
    form file "$input"
    swap "in/$input" "$bad"
    start
    $words >out 2>err
    status=$?
    # A folder without a bag in it is a bag that is not complete.
    case $name.$bad in verify*.folder) wanted=1 ;; extract*.folder) wanted=1 ;; *) wanted=2 ;; esac
    expect "$name/input that is $bad" $wanted
done
said_nothing "$name/no value in what is said at a bad end"
