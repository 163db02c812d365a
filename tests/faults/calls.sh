# Each call of a kind fails, at every place in turn.
# shellcheck shell=sh disable=SC2034,SC2086,SC2154
plain_run file /dev/null "$input"
for call in read pread write pwrite open fsync rename link close truncate temporary folder thread; do
    error=EIO read=''
    case $call in
    read | pread) read=4096 ;;
    write | pwrite | fsync | truncate | temporary | folder) error=ENOSPC ;;
    esac
    sweep "$name/a failing $call" 8 file /dev/null
done
# Where files have names while they are written.
if [ "$name" = path ]; then
    named=yes error=EIO read=''
    for call in write fsync rename close temporary; do
        sweep "$name/a failing $call, where files have names" 20 file /dev/null
    done
fi
said_nothing "$name/no value in what a failing call says"
