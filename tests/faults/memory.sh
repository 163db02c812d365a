# Each request for memory fails, once or for ever.
# shellcheck shell=sh disable=SC2034,SC2086,SC2154
plain_run file /dev/null "$input"
call=memory
sweep "$name/a failing allocation" 8 file /dev/null
on=yes
sweep "$name/no more memory" 3 file /dev/null
said_nothing "$name/no value when memory fails"
