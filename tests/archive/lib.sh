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

# Bits flipped all over a container: copies of it in the folder `flipped`, as N.PLACE.BAG.
flipped() { # BAG COPIES
    size=$(wc -c <"$1")
    n=0
    mkdir flipped
    while [ $n -lt "$2" ]; do
        at=$((n * 7919 % size))
        cp "$1" "flipped/$n.$at.$1"
        flip "flipped/$n.$at.$1" $at $((1 << n % 8))
        n=$((n + 1))
    done
}

# A payload that is not what went in is never valid.
noticed() { # BAG
    chart archive extract "$1" >whole
    flipped "$1" 60
    chart archive verify flipped/* >said 2>err || [ $? -eq 1 ] || tail -n 1 err
    [ "$(wc -l <said)" -eq 60 ] || echo "of some nothing is said"
    sed -n 's/: valid.*//p' said | while read -r copy; do
        chart archive extract "$copy" 2>/dev/null | cmp -s - whole || echo "$copy: not noticed"
    done
}

# The same records whatever their order.
sums() { sort "$@" | sha256sum; }

# Writes the manifests of the bag in the current folder anew: after a change that is meant.
reseal() {
    find data -type f -print0 | sort -z | xargs -0 sha256sum >manifest-sha256.txt
    rm -f tagmanifest-*.txt manifest-sha512.txt
}

# A bag with a parity file of 200 charts, which is many blocks.
protected() { # BAG
    [ -f charts.ndjson ] || awk 'BEGIN {
        for (i = 1; i <= 200; i++) {
            printf "{\"resourceType\":\"Patient\",\"id\":\"p%d\"}\n", i
            for (j = 1; j <= 4; j++)
                printf "{\"resourceType\":\"Observation\",\"id\":\"o%d-%d\",\"status\":\"final\",\"code\":{\"text\":\"%d\"},\"subject\":{\"reference\":\"Patient/p%d\"}}\n", i, j, i * i * j % 997, i
        }
    }' >charts.ndjson
    chart archive create -q --as-of $today --parity 5% "$1" charts.ndjson
}

# Writes so many bytes over a file, from a position on.
overwrite() { # FILE POSITION BYTES
    tr '\0' '\252' </dev/zero | dd of="$1" bs=1 seek="$2" count="$3" conv=notrunc 2>/dev/null
}

# Are two bags the same, byte for byte?
same() { if diff -r "$1" "$2" >diff.out; then echo same; else echo different; fi; }

# chart archive repair, without the numbers that depend on how well a container packs.
repair() {
    chart archive repair "$@" >said 2>&1
    status=$?
    sed 's/[0-9][0-9]* of /n of /g; s/of [0-9][0-9]* blocks/of n blocks/' said
    return $status
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

# A catalogue, charts.db, with a bag `2012` of two charts that are due by any of the shipped schedules, in three copies.
due_bag() {
    grep -E '"(Patient/)?rt-[12]"|"rt-[12]-' "$DATA/retired.ndjson" >due.ndjson
    mkdir a b
    chart archive create -q --as-of $today --schedule federal --db charts.db a/2012.zip due.ndjson
    cp a/2012.zip b/copy.zip
    (cd b && chart archive extract -C . copy.zip) # where no database is that it would be entered into
    chart archive accession -q --db charts.db b/copy.zip b/2012 >/dev/null
    rm due.ndjson
}
destroy() { chart archive destroy --db charts.db --as-of 2026-11-01 --certificate cert "$@" 2012; }
two='--by A.Lee --witness B.Cho'

# A bag that is signed: the certificate in tests/data/signing is valid in 2020 and 2021.
signed() { # BAG [OPTION]...
    chart archive create -q --as-of 2021-01-31 --sign "$DATA/signing/key.pem" \
        --signer "$DATA/signing/certificate.pem" "$@" "$DATA/retired.ndjson"
}

# Containers that were made to do harm, by tests/archive/hostile.py: the script stands on stdin.
hostile() { PYTHONPATH="$CASE/.." python3 -B -c "from hostile import *
$(cat)"; }

# Verified, listed and unpacked, within 256 MB (which the sanitizers do not fit in) and 20 seconds; tells what stands
# where it was unpacked. A tar is tried compressed as well, and must fare the same.
hold_out() { # FILE...
    mkdir -p to/in
    for file; do
        try_all "$file"
        case $file in
        *.tar)
            try_all "$file" >plain.out
            gzip "$file" && try_all "$file.gz" | sed "s/$file\.gz/$file/" | diff plain.out -
            ;;
        esac
    done
}
try_all() { # FILE
    (
        case $(command -v chart-archive) in
        */sanitize/*) ;;
        *) ulimit -d 256000 ;;
        esac
        timeout 20 chart archive verify "$1" 2>&1
        echo "verify $?"
        timeout 20 chart archive list "$1" >list.out 2>&1
        echo "list $?"
        timeout 20 chart archive extract -C to/in "$1" >extract.out 2>&1
        echo "extract $?: $(tail -n 1 extract.out)"
    )
    (cd to && find . -mindepth 2 ! -type d | grep -v -e '^./in/b/manifest-sha256.txt$' -e '^./in/b/bagit.txt$' | sort)
    rm -rf to && mkdir -p to/in
}
