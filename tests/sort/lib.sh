# Shared by the cases of sort.
# shellcheck shell=sh disable=SC2034

# N records of some charts, in an order that is none; the same at every call.
records() { # N
    awk -v n="$1" 'BEGIN {
        for (i = 1; i <= n; i++) {
            x = (x * 1103 + 12345) % 65537
            if (x % 11 == 0)
                printf "{\"resourceType\":\"Practitioner\",\"id\":\"pr-%d\"}\n", i
            else if (x % 11 == 1)
                printf "{\"resourceType\":\"Patient\",\"id\":\"chart-%d\",\"language\":\"l%d\"}\n", x % 97, i
            else
                printf "{\"resourceType\":\"Encounter\",\"id\":\"e-%d\",\"subject\":{\"reference\":\"Patient/chart-%d\"}}\n", i, x % 97
        }
    }'
}

# What chart sort must make of them, by sort(1): chart, Patient or not, place in the input.
grouped() {
    awk '{
        key = ""; rank = 1
        if (match($0, /Patient\/[^"]*/)) key = substr($0, RSTART + 8, RLENGTH - 8)
        else if (match($0, /"Patient","id":"[^"]*/)) { key = substr($0, RSTART + 16, RLENGTH - 16); rank = 0 }
        printf "%s\t%d\t%d\t%s\n", key, rank, NR, $0
    }' | sort -t "$(printf '\t')" -k 1,1 -k 2,2n -k 3,3n | cut -f 4-
}

# Waits until the command is true, ten seconds at most.
until_true() {
    n=0
    until "$@" || [ $n -ge 200 ]; do
        sleep 0.05
        n=$((n + 1))
    done
}
