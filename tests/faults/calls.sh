# Each call of a kind fails, at every place in turn.
# shellcheck shell=sh disable=SC2034,SC2086,SC2154
plain_run file /dev/null "$input"
for call in read pread write pwrite open fsync rename close truncate temporary folder thread; do
    error=EIO read=''
    case $call in
    read | pread) read=4096 ;;
    write | pwrite | fsync | truncate | temporary | folder) error=ENOSPC ;;
    esac
    sweep "$name/a failing $call" 20 file /dev/null
done
said_nothing "$name/no value in what a failing call says"
