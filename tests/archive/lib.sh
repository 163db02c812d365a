# For the cases of chart archive: . "$CASE/../lib.sh"
# shellcheck shell=sh
export TMPDIR=. # what is left behind in it shows
today=2026-01-31

# A bag of the sample charts, in what its name asks for.
bag() { chart archive create -q --as-of $today "$1" "$DATA/retired.ndjson"; }

# Makes another byte of the one at a position.
flip() { # FILE POSITION [BITS]
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    # shellcheck disable=SC2059
    printf "\\$(printf %03o $((byte ^ ${3:-4})))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# The same records whatever their order.
sums() { sort "$@" | sha256sum; }

# Writes the manifests of the bag in the current folder anew: after a change that is meant.
reseal() {
    find data -type f -print0 | sort -z | xargs -0 sha256sum >manifest-sha256.txt
    rm -f tagmanifest-*.txt manifest-sha512.txt
}

# Charts enough for several members of a compressed tar: ids c00001 on.
many() { # CHARTS
    awk -v n="$1" 'BEGIN {
        srand(7)
        for (i = 1; i <= n; i++) {
            id = sprintf("c%05d", i)
            printf "{\"resourceType\":\"Patient\",\"id\":\"%s\",\"birthDate\":\"1950-01-02\"}\n", id
            for (k = 0; k < 20; k++)
                printf "{\"resourceType\":\"Observation\",\"id\":\"o%d-%d\",\"status\":\"final\",\"subject\":{\"reference\":\"Patient/%s\"},\"valueString\":\"%.12f\"}\n", i, k, id, rand()
        }
    }'
}
